// The piano roll: notes on a canvas, names over it, and what the pointer and the keys do with bars.
// It shows a view (textmusic/page/piece_view.py makes it) and knows nothing of sound or of servers.
window.textmusic = window.textmusic || {};
textmusic.Roll = class {
  // host: an element that is emptied. on: {seek(seconds), select({bars, part}), chord(index, name)}.
  constructor(host, on) {
    this.on = on;
    this.view = null;
    this.selection = null;  // [first bar, bar behind the last], from 0
    this.part = null;  // index of the part that a selection is of; null: all
    host.innerHTML =
      '<div class="tm-scroll" tabindex="0" role="application"><div class="tm-lane">' +
      '<canvas aria-hidden="true"></canvas><div class="tm-over" aria-hidden="true"></div>' +
      '<div class="tm-names"></div><i class="tm-fresh" hidden></i><i class="tm-chosen" hidden></i>' +
      '<i class="tm-head" hidden></i></div></div>';
    this.scroll = host.querySelector(".tm-scroll");
    this.lane = host.querySelector(".tm-lane");
    this.canvas = host.querySelector("canvas");
    for (const name of ["over", "names", "fresh", "chosen", "head"])
      this[name] = host.querySelector(`.tm-${name}`);
    this.scroll.addEventListener("scroll", () => this.paint(), {passive: true});
    new ResizeObserver(() => this.lay()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.listen();
  }

  show(view) {
    const other = !this.view || this.view.token !== view.token;
    this.view = view;
    if (other) {
      this.scroll.scrollLeft = 0;
      this.select(null);
    }
    this.scroll.setAttribute("aria-label", view.spoken);
    this.lay();
  }

  // Geometry --------------------------------------------------------------------------------------

  get end() { return this.view.bars[this.view.bars.length - 1]; }
  x(quarter) { return this.gutter + quarter * this.quarter; }
  quarterAt(x) { return (x - this.gutter) / this.quarter; }
  barAt(quarter) {
    const bars = this.view.bars;
    let bar = 0;
    while (bar < bars.length - 2 && quarter >= bars[bar + 1]) bar += 1;
    return bar;
  }
  y(note) {
    const [part, , , pitch] = note;
    if (this.view.parts[part].drums) return this.kitTop + this.kit.indexOf(pitch) * this.kitRow;
    return this.top + (this.high - pitch) * this.row;
  }

  // Quarters <-> seconds, by the tempo map: [quarter, second] of every place where it changes.
  seconds(quarter) { return textmusic.between(this.view.tempi, 0, 1, quarter); }
  quarters(second) { return textmusic.between(this.view.tempi, 1, 0, second); }

  lay() {
    if (!this.view) return;
    const view = this.view, width = this.scroll.clientWidth;
    const pitches = view.notes.filter(n => !view.parts[n[0]].drums).map(n => n[3]);
    const lowest = pitches.reduce((a, b) => Math.min(a, b), 128);
    const highest = pitches.reduce((a, b) => Math.max(a, b), -1);
    this.kit = [...new Set(view.notes.filter(n => view.parts[n[0]].drums).map(n => n[3]))]
      .sort((a, b) => b - a);
    const pitched = highest >= 0 || !this.kit.length;
    const spare = Math.max(4, 24 - (highest - lowest + 1));
    this.high = pitched ? Math.min(127, (highest < 0 ? 60 : highest) + (spare >> 1)) : -1;
    this.low = pitched ? Math.max(0, (highest < 0 ? 60 : lowest) - (spare - (spare >> 1))) : 0;
    const rows = pitched ? this.high - this.low + 1 : 0;
    const tall = Math.min(420, Math.max(260, innerHeight * 0.42));  // of all rows together
    this.row = Math.min(14, Math.max(4, tall / Math.max(rows, 1)));
    this.kitRow = 14;
    this.gutter = this.kit.length ? (width < 600 ? 84 : 112) : 40;
    const fingers = matchMedia("(pointer: coarse), (max-width: 760px)").matches;
    this.line = fingers ? 46 : 22;  // of names that are buttons
    this.top = 24 + (view.chords.length ? this.line : 0) + (view.sections.length ? this.line : 0);
    this.kitTop = this.top + rows * this.row + (rows && this.kit.length ? 10 : 0);
    this.height = this.kitTop + this.kit.length * this.kitRow + 4;
    // A bar of four takes at least 40 pixels. Under fingers, names of chords, which are buttons, take at least 44, unless
    // they last less than a quarter note. A short piece fills the width.
    const wide = (width - this.gutter - 12) / Math.max(this.end, 1);
    const gaps = view.chords.map(([quarter], n) => (view.chords[n + 1]?.[0] ?? this.end) - quarter);
    const closest = Math.max(1, Math.min(...gaps));
    this.quarter = Math.max(fingers && gaps.length ? 44 / closest : 0, 10, wide);
    this.width = Math.max(width, this.gutter + this.end * this.quarter + 12);
    this.lane.style.width = `${this.width}px`;
    this.lane.style.height = `${this.height}px`;
    this.writeNames();
    this.mark(this.fresh, view.fresh && view.fresh.map(bar => view.bars[bar]));
    this.select(this.selection);
    this.paint();
  }

  mark(element, span) {
    element.hidden = !span;
    if (!span) return;
    element.style.left = `${this.x(span[0])}px`;
    element.style.width = `${(span[1] - span[0]) * this.quarter}px`;
    element.style.top = `${this.top}px`;
    element.style.height = `${this.height - this.top}px`;
  }

  // Names of sections, bars and chords. Chords are buttons: typing over one asks for another.
  writeNames() {
    const view = this.view, made = document.createDocumentFragment();
    const add = (tag, kind, quarter, top, text, room) => {
      const item = document.createElement(tag);
      item.className = kind;
      item.textContent = text;
      if (tag === "button") item.tabIndex = -1;  // a hundred stops for the Tab key; see the keys of the roll
      item.style.cssText = `left:${this.x(quarter)}px;top:${top}px;max-width:${Math.max(room - 3, 8)}px;--tm-room:${room}px`;
      made.append(item);
      return item;
    };
    const until = (list, n) => (n + 1 < list.length ? list[n + 1][0] : this.end);
    let top = 0;
    view.sections.forEach(([quarter, name], n) => {
      const room = (until(view.sections, n) - quarter) * this.quarter;
      const button = add(view.writing ? "span" : "button", "tm-section", quarter, top, name, room);
      button.style.width = `${room - 3}px`;
      button.dataset.bars = JSON.stringify([this.barAt(quarter), this.barAt(until(view.sections, n) - 1e-3) + 1]);
    });
    if (view.sections.length) top += this.line;
    const bar = (this.end / Math.max(view.bars.length - 1, 1)) * this.quarter;
    const every = [1, 2, 4, 8, 16].find(n => n * bar >= 28) || 16;
    for (let n = 0; n < view.bars.length - 1; n += every)
      add("span", "tm-bar", view.bars[n], top, String(n + 1), bar * every);
    top += 20;
    view.chords.forEach(([quarter, name], n) => {
      const room = (until(view.chords, n) - quarter) * this.quarter;
      const button = add(view.writing ? "span" : "button", "tm-chord", quarter, top, name, room);
      button.dataset.chord = n;
      button.title = name;
    });
    this.names.replaceChildren(made);
    const chords = [...this.names.querySelectorAll(".tm-chord")];
    for (const chord of chords.filter(one => one.scrollWidth > one.clientWidth)) chord.classList.add("tm-tight");
  }

  // Paint what is in view. The canvas is as wide as the window, and stays where one looks.
  paint() {
    if (!this.view) return;
    const {view, canvas, row} = this, left = this.scroll.scrollLeft, sharp = devicePixelRatio || 1;
    const width = this.scroll.clientWidth, height = this.height;
    canvas.style.cssText = `left:${left}px;width:${width}px;height:${height}px`;
    canvas.width = width * sharp;
    canvas.height = height * sharp;
    const ink = canvas.getContext("2d"), style = getComputedStyle(this.lane);
    const colour = name => style.getPropertyValue(`--tm-${name}`).trim();
    ink.setTransform(sharp, 0, 0, sharp, -left * sharp, 0);
    ink.font = "11px system-ui, sans-serif";
    const first = this.quarterAt(left + this.gutter), last = this.quarterAt(left + width);
    const right = Math.min(this.x(this.end), left + width), from = Math.max(this.x(0), left);
    for (let pitch = this.low; pitch <= this.high; pitch += 1) {
      const step = (((pitch - (view.tonic ?? 0)) % 12) + 12) % 12;
      if (!view.scale.includes(step)) continue;
      ink.fillStyle = colour(step === 0 && view.tonic !== null ? "home" : "shade");
      ink.fillRect(from, this.top + (this.high - pitch) * row, right - from, row);
    }
    view.bars.forEach((quarter, n) => {
      if (quarter < first - 8 || quarter > last + 8) return;
      ink.fillStyle = colour(n % 4 ? "grid" : "bar");
      ink.fillRect(this.x(quarter), this.top, 1, height - this.top);
    });
    for (const note of view.notes) {
      const [part, start, length, pitch, velocity, state] = note, {drums} = view.parts[part];
      if (start + length < first - 1 || start > last) continue;
      const y = this.y(note), high = drums ? this.kitRow - 4 : row - 0.6;
      const wide = drums ? Math.max(3, Math.min(6, 0.22 * this.quarter)) : length * this.quarter - 1;
      ink.globalAlpha = this.faded(part) ? 0.18 : 0.4 + (0.6 * velocity) / 127;
      ink.fillStyle = state === "chosen" ? colour("chosen") : view.parts[part].colour;
      ink.beginPath();
      ink.roundRect(this.x(start), y + (drums ? 2 : 0.3), Math.max(wide, 1.5), high, Math.min(2, high / 3));
      ink.fill();
    }
    ink.globalAlpha = 1;
    ink.fillStyle = colour("paper");
    ink.fillRect(left, this.top, this.gutter - 2, height - this.top);
    ink.fillStyle = colour("quiet");
    ink.textAlign = "right";
    const at = left + this.gutter - 8;
    for (let pitch = this.low; pitch <= this.high; pitch += 1)
      if (pitch % 12 === 0)
        ink.fillText(`C${pitch / 12 - 1}`, at, this.top + (this.high - pitch + 0.5) * row + 4);
    this.kit.forEach((pitch, n) =>
      ink.fillText(view.kit[pitch] || String(pitch), at, this.kitTop + (n + 0.5) * this.kitRow + 4,
        this.gutter - 10));
  }

  faded(part) {
    const {view} = this;
    return view.parts[part].silent || (this.part !== null && this.selection && part !== this.part);
  }

  // What is chosen, and where the sound is ------------------------------------------------------

  select(bars, part = this.part) {
    this.selection = bars && [...bars];
    this.part = part;
    if (this.view)
      this.mark(this.chosen, bars && bars.map(bar => this.view.bars[Math.min(bar, this.view.bars.length - 1)]));
    this.on.select({bars: this.selection, part});
  }

  // seconds: of the sound; null: none. follow: keep it in view.
  point(seconds, follow) {
    this.head.hidden = seconds === null || !this.view;
    if (this.head.hidden) return;
    const x = this.x(Math.min(this.quarters(seconds), this.end));
    this.head.style.transform = `translateX(${x}px)`;
    const left = this.scroll.scrollLeft, width = this.scroll.clientWidth;
    if (follow && !this.held && (x < left + this.gutter || x > left + width - 24))
      this.scroll.scrollTo({left: x - this.gutter - 24, behavior: "instant"});
  }

  listen() {
    let from = null;
    const bar = event => {
      const box = this.lane.getBoundingClientRect();
      return this.barAt(this.quarterAt(event.clientX - box.left));
    };
    this.lane.addEventListener("pointerdown", event => {
      if (!this.view || event.button || event.target.closest("button, input")) return;
      from = {bar: bar(event), x: event.clientX, moved: false, touch: event.pointerType === "touch"};
      this.held = true;
    });
    addEventListener("pointermove", event => {
      // On a touch screen a swipe scrolls; bars are chosen by the buttons and the keys.
      if (!from || from.touch || (!from.moved && Math.abs(event.clientX - from.x) < 6)) return;
      from.moved = true;
      const to = bar(event);
      this.select([Math.min(from.bar, to), Math.max(from.bar, to) + 1]);
    });
    addEventListener("pointerup", event => {
      const began = from;
      from = null;
      this.held = false;
      if (!began || began.moved || Math.abs(event.clientX - began.x) > 6) return;
      if (began.touch && this.selection) {  // a tap chooses all bars up to there
        const to = bar(event), [first, stop] = this.selection;
        this.select([Math.min(first, to), to < first ? stop : to + 1]);
        return;
      }
      const box = this.lane.getBoundingClientRect();
      const quarter = Math.max(0, this.quarterAt(event.clientX - box.left));
      this.on.seek(this.seconds(Math.min(quarter, this.end)));
    });
    addEventListener("pointercancel", () => { from = null; this.held = false; });
    this.scroll.addEventListener("keydown", event => {
      if (!this.view || event.target.closest("button, input")) return;
      const bars = this.view.bars.length - 1, now = this.selection;
      const move = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (move && event.shiftKey) this.lengthen(move);
      else if (move) {  // another bar
        const first = Math.min(Math.max((now ? now[0] : this.here() - (move > 0)) + move, 0), bars - 1);
        const long = now ? now[1] - now[0] : 1;
        this.select([first, Math.min(first + long, bars)]);
        this.point(this.seconds(this.view.bars[first]), true);
      } else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.select([0, bars]);
      else if (event.key === "c" && !event.ctrlKey && !event.metaKey) this.renameAt(now ? now[0] : this.here());
      else if (event.key === "Enter" && now) this.on.seek(this.seconds(this.view.bars[now[0]]));
      else return;
      event.preventDefault();
    });
    this.names.addEventListener("click", event => {
      const button = event.target.closest("button.tm-chord");
      if (button) this.rename(button);
      const section = event.target.closest("button.tm-section");
      if (section) this.select(JSON.parse(section.dataset.bars));
    });
  }

  // The bar that the sound is in, chosen; and more bars, or fewer.
  choose() { this.select([this.here(), this.here() + 1]); }
  lengthen(by) {
    const [first, stop] = this.selection || [this.here(), this.here()];
    this.select([first, Math.min(Math.max(stop + by, first + 1), this.view.bars.length - 1)]);
  }

  // The bar that the sound is in.
  here() { return this.barAt(this.quarters(this.on.now())); }

  // The chord with which a bar begins, typed over.
  renameAt(bar) {
    const n = this.view.chords.findLastIndex(([quarter]) => quarter <= this.view.bars[bar] + 1e-6);
    const button = this.names.querySelector(`button[data-chord="${Math.max(n, 0)}"]`);
    if (button) this.rename(button);
  }

  // A chord's name, typed over.
  rename(button) {
    const box = document.createElement("input"), n = Number(button.dataset.chord);
    box.value = button.textContent;
    box.className = "tm-chord";
    box.size = 6;
    box.maxLength = 12;
    box.setAttribute("aria-label", button.textContent);
    box.style.cssText = button.style.cssText;
    box.style.maxWidth = "none";
    let done = false;
    const end = keep => {
      if (done) return;
      done = true;
      const said = box.value.trim();
      box.replaceWith(button);
      this.scroll.focus({preventScroll: true});
      if (keep && said && said !== button.textContent) this.on.chord(n, said);
    };
    box.addEventListener("keydown", event => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    box.addEventListener("blur", () => end(false));
    button.replaceWith(box);
    box.select();
    box.focus();
  }
};

// The place in column `to` that belongs to a value in column `from` of ascending rows.
textmusic.between = (rows, from, to, value) => {
  let n = 0;
  while (n < rows.length - 2 && value >= rows[n + 1][from]) n += 1;
  const [a, b] = [rows[n], rows[n + 1]];
  if (!b || b[from] === a[from]) return a[to];
  return a[to] + ((value - a[from]) * (b[to] - a[to])) / (b[from] - a[from]);
};
