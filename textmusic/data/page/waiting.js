// The desk's line of state: what is being written, how far it has come, whether the server is there.
window.textmusic = window.textmusic || {};
textmusic.Waiting = class extends textmusic.Mixing {
  // Between the click and the first bar; and when all is done, or nothing has come of it.
  // again: does the same once more.
  begin(again = null) {
    this.flush();
    this.again = again;
    this.begun = true;
    this.back = false;
    this.own.classList.remove("tm-back");
    if (!this.view) this.find("title").textContent = this.say.starting;
    document.body.classList.add("tm-writing");
    this.own.hidden = false;
    this.own.classList.add("tm-waiting");
    this.tell(this.say.starting);
    this.find("state").classList.add("tm-busy");
    this.find("state").style.setProperty("--done", 0);
    this.reveal();
  }
  nudge() {
    const place = this.find("state");
    place.classList.remove("tm-nudged");
    void place.offsetWidth;  // so that it begins anew
    place.classList.add("tm-nudged");
    this.reveal();
  }
  rest() {
    document.body.classList.remove("tm-writing");
    this.own.classList.remove("tm-waiting");
    if (this.gone) return;
    this.answered();
    if (this.view && this.view.writing) this.end(this.say.broken, this.again);
    else if (this.view) this.showState();
    else this.own.hidden = true;
  }

  // Where the music is written is where one looks.
  reveal() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const box = this.own.getBoundingClientRect();
    if (box.top < 0 || box.top > innerHeight * 0.55)
      this.own.scrollIntoView({behavior: calm ? "instant" : "smooth", block: "start"});
  }

  showState() {
    const {view, say} = this, place = this.find("state");
    if (this.back) return;
    const text = view.busy
      ? say.bars_done.replace("{}", view.busy[0]).replace("{}", view.busy[1])
      : view.writing
      ? say.bars_done.replace("{}", view.done).replace("{}", view.total) +
        (view.left === null ? "" : ` · ${say.time_left.replace("{}", view.left)}`)
      : view.stopped ? say.stopped : "";
    if (place.dataset.text !== text) place.textContent = place.dataset.text = text;
    place.style.setProperty("--done", view.busy ? view.busy[0] / view.busy[1] : view.writing ? view.done / Math.max(view.total, 1) : 1);
    place.classList.toggle("tm-busy", Boolean(view.writing || view.busy));
    for (const name of ["undo", "redo"])
      this.own.querySelector(`[data-do=${name}]`).disabled = Boolean(view.writing) || !view[name];
    this.own.querySelector("[data-do=halt]").hidden = !view.writing;
    for (const name of textmusic.Desk.VERBS)
      this.own.querySelector(`[data-do=${name}]`).disabled = Boolean(view.writing || view.busy);
  }

  tell(text) {
    const place = this.find("state");
    place.textContent = place.dataset.text = text;
  }
  // What was begun has come to nothing: the server has gone away, or it has failed.
  lost() {
    this.gone = true;
    sessionStorage.setItem("textmusic-lost", "1");  // when it is back, gradio loads the page anew
    this.end(this.say.lost);
  }
  // The server has taken up what was asked here: there is nothing left to ask again.
  answered() {
    sessionStorage.removeItem("textmusic-lost");
  }
  // On a page that gradio may have loaded anew: offer to ask again. It may do so once more within
  // seconds, and no later, so the note is not kept for longer.
  remember() {
    if (!sessionStorage.getItem("textmusic-lost")) return;
    this.returned(() => document.querySelector(".tm-generate").click());
    setTimeout(() => this.answered(), 10000);
  }
  end(text, again = null) {
    this.tell(text);
    document.body.classList.remove("tm-writing");
    this.find("state").classList.remove("tm-busy");
    this.own.querySelector("[data-do=halt]").hidden = true;
    this.own.classList.remove("tm-waiting");
    if (!again) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.say.again;
    button.addEventListener("click", again);
    this.find("state").append(" ", button);
  }
  // The server answers again: what was asked can be asked once more.
  returned(again) {
    this.gone = false;
    this.back = true;  // said until something is begun
    if (!this.view) {
      document.body.classList.add("tm-playing");
      this.own.hidden = false;
      this.own.classList.add("tm-back");
    }
    this.end(this.say.back, again);
  }
  // A server that has gone away says nothing: ask whether it is there.
  async watchServer() {
    const busy = document.body.classList.contains("tm-writing");
    if (!(busy || this.gone) || this.asking) return;
    this.asking = true;
    let there = false;
    try { there = (await fetch("theme.css", {cache: "no-store"})).ok; } catch { /* no */ }
    this.asking = false;
    if (!there) this.found = 0;
    if (!there && !this.gone) this.lost();
    // twice, so that gradio comes first if it loads the page anew: it looks every two seconds
    else if (there && this.gone && ++this.found > 1) this.returned(this.again);
  }
};
