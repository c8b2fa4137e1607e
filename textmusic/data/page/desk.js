// The desk: a piece's roll, its player, its parts, and what can be done with chosen bars.
// page/desk.py sends a view; what a person wants goes back by trigger("act", {what, ...}).
window.textmusic = window.textmusic || {};
textmusic.Desk = class extends textmusic.Waiting {
  constructor(element, {props, watch, trigger, server}) {
    super();
    this.say = textmusic.words(props.words);
    this.trigger = trigger;
    this.server = server;
    this.view = null;
    this.own = document.createElement("section");
    this.own.className = "tm-desk";
    this.own.hidden = true;
    this.own.innerHTML = this.skeleton();
    element.querySelector(".tm-desk-place").append(this.own);
    this.find = name => this.own.querySelector(`[data-is="${name}"]`);
    this.player = new textmusic.Player(
      {change: () => this.showPlayer(), time: s => this.showTime(s, true), failed: () => this.watchServer()},
      async () => (await server.stems(this.view.token)),
    );
    this.roll = new textmusic.Roll(this.find("roll"), {
      seek: seconds => { this.player.time = seconds; },
      now: () => this.player.time,
      select: chosen => this.showChosen(chosen),
      chord: (n, name) => this.write("chord", {index: n, name}),
    });
    this.pencil = new textmusic.Pencil(this.roll, {
      edit: edit => this.edit(edit), now: () => this.player.time, say: this.say,
      tell: text => this.tell(text),
    });
    this.find("player").append(new Option(this.say.new_part, ""), ...textmusic.words(props.players)
      .map(([program, name]) => new Option(name, program)));
    this.edits = [];
    this.listen();
    textmusic.mend(this.say);
    textmusic.desk = this;  // of the page: keys, and whoever is about to start something
    watch("value", () => this.show(props.value));
    if (props.value) this.show(props.value);
    this.remember();
    setInterval(() => this.watchServer(), 3000);
  }

  skeleton() {
    const {say} = this, button = (name, sign, label, more = "") =>
      `<button type="button" data-do="${name}" aria-label="${say[label]}" title="${say[label]}" ${more}>` +
      `<span aria-hidden="true">${sign}</span></button>`;
    return `<header><h2 data-is="title"></h2><p data-is="facts"></p></header>
      <div data-is="takes" class="tm-takes" role="group" aria-label="${say.takes}" hidden></div>
      <div data-is="state" class="tm-state" role="status"></div>
      <div data-is="roll" class="tm-rollbox"></div>
      <div data-is="choice" class="tm-choice" role="group" aria-label="${say.chosen_bars}" hidden>
        <span class="tm-group"><b data-is="bars"></b>${button("fewer", "−", "fewer")}${button("more", "+", "more")}
          <button type="button" data-do="all">${say.all_bars}</button>
          <button type="button" data-do="loop" aria-pressed="false">${say.loop}</button>
          <button type="button" data-do="clear">${say.clear}</button></span>
        <label class="tm-group"><span>${say.part}</span> <select data-is="part"></select></label>
        <input data-is="wish" type="text" maxlength="400" placeholder="${say.wish}" aria-label="${say.wish}">
        <span class="tm-group">
          <button type="button" data-do="rewrite" class="tm-first" title="${say.rewrite_info}">${say.rewrite}</button>
          <button type="button" data-do="vary" title="${say.vary_info}">${say.vary_these}</button>
          <label data-is="with-theme" title="${say.with_theme_info}"><input data-is="theme" type="checkbox"> ${say.with_theme}</label>
          <button type="button" data-do="harmonise" title="${say.harmonise_info}">${say.harmonise}</button></span>
        <span class="tm-group"><select data-is="player" aria-label="${say.new_part}"></select>
          <button type="button" data-do="add" title="${say.add_info}">${say.add}</button></span>
        <span class="tm-group"><input data-is="form" type="text" maxlength="60" size="14" placeholder="${say.form_wish}" aria-label="${say.form_wish}">
          <button type="button" data-do="form">${say.set_form}</button></span>
      </div>
      <p class="tm-hint"><span data-is="hint">${say.roll_hint}</span>
        <button type="button" data-do="bar">${say.select_bar}</button></p>
      <ul data-is="parts" class="tm-parts"></ul>
      <div class="tm-player" role="group" aria-label="${say.player}">
        ${button("toggle", "▶", "play")}${button("stop", "■", "to_start")}
        <input data-is="seek" type="range" min="0" max="1" step="0.01" value="0" aria-label="${say.place}">
        <output data-is="clock">0:00</output>
        ${button("pencil", "✎", "pencil", 'aria-pressed="false"')}${button("undo", "↶", "undo", "disabled")}${button("redo", "↷", "redo", "disabled")}
        ${button("halt", "◼ " + say.stop, "stop", "hidden class='tm-halt'")}
      </div>`;
  }

  // A view: see page/piece_view.py. One that is being written has a live address.
  show(view) {
    if (!view || view === this.view) return;
    if (this.begun) this.answered();
    if (!view.token) return this.empty();
    const other = !this.view || this.view.token !== view.token;
    const was = this.view;
    this.view = view;
    this.own.hidden = false;
    document.body.classList.add("tm-playing");
    this.find("title").textContent = view.title || this.say.untitled;
    this.find("facts").textContent = view.facts;
    if (other) this.levels = view.parts.map(() => ({silent: false, alone: false, level: 1}));
    while (this.levels.length < view.parts.length)
      this.levels.push({silent: false, alone: false, level: 1});
    this.silence();
    this.pencil.chosen = null;
    this.roll.show(view);
    if (view.audio !== this.address) {
      const grown = was && was.writing && !view.writing && was.writing === view.grown_from;
      if (grown && view.from === null)
        this.player.become(view.audio, view.tempi[view.tempi.length - 1][1]);
      else {
        // of a piece that was continued, the new bars alone were heard live
        const begin = view.from === null ? 0 : this.roll.seconds(view.from);
        const live = grown && this.player.playing, heard = live ? this.player.time : 0;
        this.player.load(view.audio, Boolean(view.writing) || live || this.wanted === view.token);
        this.wanted = null;
        if (begin) this.player.audio.currentTime = begin + heard;
      }
      this.address = view.audio;
    }
    if (view.writing && (!was || was.writing !== view.writing)) this.reveal();
    this.own.classList.remove("tm-waiting", "tm-back");
    document.body.classList.toggle("tm-writing", Boolean(view.writing || view.busy));
    this.showTakes();
    this.showState();
    this.showParts();
    this.showPlayer();
    this.showTime(this.player.time);
  }

  // Nothing to show: the last piece was deleted.
  empty() {
    this.player.drop();
    this.view = this.address = null;
    this.own.hidden = true;
    document.body.classList.remove("tm-playing");
  }

  // Pieces that were written together, side by side: hear one, and keep it alone.
  showTakes() {
    const place = this.find("takes"), {view, say} = this, takes = view.takes || [];
    place.hidden = takes.length < 2;
    place.replaceChildren(...takes.map((take, n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${n + 1} · ${take.name}`;
      button.setAttribute("aria-pressed", take.token === view.token);
      button.addEventListener("click", () => {
        this.flush();
        this.wanted = take.token;  // it is to be heard at once
        this.trigger("act", {what: "choose", token: take.token});
      });
      return button;
    }));
    if (place.hidden) return;
    const keep = document.createElement("button");
    keep.type = "button";
    keep.textContent = say.keep_this;
    keep.addEventListener("click", () => this.act("keep"));
    place.append(keep);
  }

  showChosen({bars, part}) {
    const choice = this.find("choice");
    choice.hidden = !bars;
    this.find("hint").parentElement.hidden = Boolean(bars);
    if (!bars) {
      if (this.player) this.player.loop = null;
      this.own.querySelector("[data-do=loop]").setAttribute("aria-pressed", "false");
      return;
    }
    const [first, stop] = bars, {say} = this;
    const text = stop - first === 1 ? say.bar.replace("{}", stop)
      : say.bars_from_to.replace("{}", first + 1).replace("{}", stop);
    if (this.find("bars").textContent !== text) this.find("bars").textContent = text;
    this.find("part").value = part === null ? "" : String(part);
    const {view} = this, all = first === 0 && stop === view.bars.length - 1;
    this.find("with-theme").hidden = !all || (part !== null && view.parts.length > 1);
    if (this.player.loop) this.player.loop = this.span();
  }
  span() {
    return this.roll.selection.map(bar => this.roll.seconds(this.view.bars[bar]));
  }

  showPlayer() {
    if (!this.view) return;
    const {player, say} = this, button = this.own.querySelector("[data-do=toggle]");
    const name = player.playing ? say.pause : say.play;
    button.firstElementChild.textContent = player.playing ? "❚❚" : "▶";
    button.setAttribute("aria-label", name);
    button.title = name;
    if (player.refused) { this.tell(say.press_play); player.refused = false; }
    const last = this.view.tempi[this.view.tempi.length - 1][1];
    this.find("seek").max = Math.max(player.duration, last);
    if (!player.playing) this.showTime(player.time);
  }
  showTime(seconds, follow = false) {
    if (!this.view) return;
    const clock = s => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
    const text = `${clock(seconds)} / ${clock(Number(this.find("seek").max))}`;
    if (this.find("clock").textContent !== text) this.find("clock").textContent = text;
    if (document.activeElement !== this.find("seek") || !this.dragged) this.find("seek").value = seconds;
    this.roll.point(seconds, follow);
    if (follow && seconds > 2) this.prepare();
  }

  // What takes its time.
  write(what, more) {
    const bars = this.roll.selection, {part} = this.roll;
    this.begin(() => { this.roll.select(bars, part); this.write(what, more); });
    this.act(what, more);
  }

  act(what, more = {}) {
    const bars = this.roll.selection, part = this.roll.part;
    const kind = [...textmusic.Desk.VERBS, "chord", "edit"].includes(what) ? "write" : "act";
    this.trigger(kind, {
      what, token: this.view.token, at: this.player.time, bars, part: part === null ? null :
        this.view.parts[part].key, ...more,
    });
  }

  // Edits are sent together, once the hand rests: each lot is one step of undo.
  edit(edit) {
    this.edits.push({
      old: edit.old && [this.view.parts[edit.old[0]].key, ...edit.old.slice(1)],
      note: edit.note && [this.view.parts[edit.note[0]].key, ...edit.note.slice(1)],
    });
    this.own.querySelector("[data-do=undo]").disabled = false;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.flush(), 900);
  }
  // Send what is waiting, before another piece may come.
  flush() {
    clearTimeout(this.resting);
    const edits = this.edits;
    this.edits = [];
    if (edits.length) this.act("edit", {edits});
  }
  // What has not been sent yet is undone by showing the piece as it is.
  undo() {
    if (!this.edits.length) return this.act("undo");
    clearTimeout(this.resting);
    this.edits = [];
    this.act("choose");
  }

  // A button that can be pressed, pressed.
  press(name) {
    const button = this.own.querySelector(`[data-do=${name}]`);
    if (!button.disabled) this.do(name);
  }

  // What the buttons do; keys do the same (keys.js).
  do(name) {
    const {player} = this;
    if (name === "toggle") player.toggle();
    else if (name === "stop") player.stop();
    else if (name === "clear") this.roll.select(null);
    else if (name === "pencil") {
      this.pencil.turn(!this.pencil.active);
      this.own.querySelector("[data-do=pencil]").setAttribute("aria-pressed", this.pencil.active);
      this.find("hint").textContent = this.pencil.active ? this.say.pencil_hint : this.say.roll_hint;
      if (this.pencil.active) this.roll.scroll.focus();
    } else if (name === "loop") {
      player.loop = player.loop ? null : this.span();
      this.own.querySelector("[data-do=loop]").setAttribute("aria-pressed", Boolean(player.loop));
      if (player.loop) { player.time = player.loop[0]; if (!player.playing) player.play(); }
    } else if (textmusic.Desk.VERBS.includes(name)) {
      const player = this.find("player").value;
      this.write(name, {
        text: this.find("wish").value, form: this.find("form").value,
        player: player === "" ? null : Number(player), theme: this.find("theme").checked,
      });
    } else if (name === "bar") this.roll.choose();
    else if (name === "all") this.roll.select([0, this.view.bars.length - 1]);
    else if (name === "fewer" || name === "more") this.roll.lengthen(name === "more" ? 1 : -1);
    else if (name === "undo") this.undo();
    else this.act(name);
  }

  listen() {
    this.own.addEventListener("click", event => {
      const button = event.target.closest("[data-do]");
      if (button && !button.disabled) this.do(button.dataset.do);
    });
    const seek = this.find("seek");
    seek.addEventListener("input", () => { this.player.time = Number(seek.value); });
    seek.addEventListener("pointerdown", () => { this.dragged = true; });
    seek.addEventListener("pointerup", () => { this.dragged = false; });
    this.find("part").addEventListener("change", event => {
      this.roll.select(this.roll.selection, event.target.value === "" ? null : Number(event.target.value));
      this.roll.paint();
    });
    for (const [box, verb] of [["wish", "rewrite"], ["form", "form"]])
      this.find(box).addEventListener("keydown", event => {
        if (event.key === "Enter" && !event.isComposing) this.press(verb);
      });
  }
};

// What is done with selected bars: page/selecting.py does it.
textmusic.Desk.VERBS = ["rewrite", "vary", "add", "harmonise", "form"];

// Words in the language that the browser asks for, as the server's own are.
textmusic.chinese = (navigator.language || "en").toLowerCase().startsWith("zh");
document.documentElement.classList.toggle("tm-chinese", textmusic.chinese);
textmusic.words = words => words[textmusic.chinese ? "zh" : "en"];
