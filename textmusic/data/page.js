// A line that runs over the piano roll with the sound, and a click on the roll that seeks.
(() => {
  if (window.textmusic) return;
  window.textmusic = true;
  // The finished piece goes on where the one that was heard live is taken away; a short one may be
  // finished before the browser has begun to play. heard: seconds; null where nobody listens.
  let heard = null, before = null, current = null;
  const finished = () => document.querySelector(".tm-result .tm-piece audio");
  const live = (event) => event.target.closest && event.target.closest(".tm-live");
  document.addEventListener("timeupdate", (event) => {
    if (live(event)) heard = event.target.paused ? null : event.target.currentTime;
  }, true);
  document.addEventListener("pause", (event) => { if (live(event)) heard = null; }, true);
  new MutationObserver(() => {
    const audio = finished(), living = document.querySelector(".tm-live audio");
    if (living && living !== current) [heard, before] = [0, audio && audio.src];
    current = living;
    if (living || heard === null || !audio || audio.src === before) return;
    audio.currentTime = heard;
    heard = null;
    audio.play().catch(() => {});
  }).observe(document, {subtree: true, childList: true});
  const parts = (inside) => {
    const piece = inside.closest(".tm-piece");
    return piece && {
      audio: piece.querySelector("audio"),
      roll: piece.querySelector(".tm-roll"),
      head: piece.querySelector(".tm-head"),
    };
  };
  const strips = (roll) => JSON.parse(roll.dataset.strips);
  const draw = ({audio, roll, head}) => {
    const strip = strips(roll).find((s) => audio.currentTime < s[5]);
    head.hidden = !strip;
    if (!strip) return;
    const [x, y, width, height, begin, end] = strip;
    const share = (audio.currentTime - begin) / (end - begin);
    head.style.left = `${100 * (x + share * width)}%`;
    head.style.top = `${100 * y}%`;
    head.style.height = `${100 * height}%`;
  };
  const follow = (found) => {
    if (!found.audio.isConnected) return;
    draw(found);
    if (!found.audio.paused) requestAnimationFrame(() => follow(found));
  };
  for (const kind of ["play", "seeked"])
    document.addEventListener(kind, (event) => {
      const found = event.target.closest && parts(event.target);
      if (found) follow(found);
      if (kind === "play")  // one at a time
        document.querySelectorAll("audio").forEach((other) => {
          if (other !== event.target) other.pause();
        });
    }, true);
  document.addEventListener("click", (event) => {
    const roll = event.target.closest && event.target.closest(".tm-roll");
    const found = roll && parts(roll);
    if (!found) return;
    const box = roll.getBoundingClientRect();
    const [across, down] = [
      (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height,
    ];
    for (const [x, y, width, height, begin, end] of strips(roll))
      if (down >= y && down <= y + height) {
        const share = Math.min(Math.max((across - x) / width, 0), 1);
        found.audio.currentTime = begin + share * (end - begin);
        return;
      }
  });
})();
