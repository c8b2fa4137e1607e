// The desk's list of parts: what is heard of each, and their sounds, fetched before they are wanted.
window.textmusic = window.textmusic || {};
textmusic.Mixing = class {
  showParts() {
    const list = this.find("parts"), {view, say} = this;
    const shown = JSON.stringify(view.parts.map(part => [part.name, part.colour]));
    if (list.dataset.shown === shown) return;
    list.dataset.shown = shown;
    list.innerHTML = "";
    view.parts.forEach((part, n) => {
      const row = document.createElement("li");
      row.innerHTML = `<i></i><span></span>
        <button type="button" data-part="silent" aria-pressed="false">${say.mute}</button>
        <button type="button" data-part="alone" aria-pressed="false">${say.solo}</button>
        <input type="range" min="0" max="1" step="0.05" value="1">`;
      row.querySelector("i").style.background = part.colour;
      row.querySelector("span").textContent = part.name;
      row.querySelector("input").setAttribute("aria-label", `${say.volume}: ${part.name}`);
      row.querySelectorAll("button").forEach(button => {
        button.setAttribute("aria-label", `${button.textContent}: ${part.name}`);
        button.addEventListener("click", () => {
          const state = this.levels[n], kind = button.dataset.part;
          state[kind] = !state[kind];
          button.setAttribute("aria-pressed", state[kind]);
          this.balance();
        });
      });
      row.querySelector("input").addEventListener("input", event => {
        this.levels[n].level = Number(event.target.value);
        this.balance();
      });
      list.append(row);
    });
    const choice = this.find("part");
    list.onpointerenter = list.onfocus = () => this.prepare();
    choice.replaceChildren(new Option(say.all_parts, ""), ...view.parts.map((part, n) =>
      new Option(part.name, n)));
  }

  // What is heard of each part, as far as it is silenced, alone, or turned down.
  silence() {
    const alone = this.levels.some(state => state.alone);
    this.view.parts.forEach((part, n) => {
      const state = this.levels[n];
      part.silent = state.silent || (alone && !state.alone);
    });
  }
  // The parts take a while: they are made while somebody listens, before they are wanted.
  prepare() {
    const {view} = this;
    if (!view || view.writing || view.busy || view.parts.length < 2 || this.prepared === view.token) return;
    this.prepared = view.token;
    this.server.stems(view.token).then(([first]) => fetch(first)).catch(() => { this.prepared = null; });
  }
  async balance() {
    this.silence();
    this.roll.paint();
    const levels = this.view.parts.map((part, n) => (part.silent ? 0 : this.levels[n].level));
    if (!this.player.mix) this.tell(this.say.mixing);
    try { await this.player.levelled(levels); this.showState(); } catch { this.tell(this.say.no_stems); }
  }
};
