"""The style of the pages of reports and previews."""

from __future__ import annotations

GREY = "#8a8f98"  # real music
STYLE = """:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;
margin:2rem auto;padding:0 1rem}h2{margin:3rem 0 .2rem}.about,figcaption{color:GREY}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:.8rem 0}
th,td{padding:.15rem 1rem .15rem 0;text-align:left;white-space:nowrap}
td small{color:GREY}tbody tr:nth-child(odd){background:#8882}svg text{fill:currentColor;
font:12px system-ui,sans-serif}.plots{display:flex;flex-wrap:wrap;gap:1rem}.key i{
display:inline-block;width:.8rem;height:.8rem;margin:0 .3rem 0 1rem;border-radius:50%}
.sides{display:grid;gap:1rem;
grid-template-columns:repeat(auto-fit,minmax(19rem,1fr))}.sides audio,.sides img{width:100%}
.sides img{background:#fff}figure{margin:0}""".replace("GREY", GREY)
