// Notes moved, added, lengthened and deleted on the roll, by pointer and by keys.
// Each gesture is one edit: {old: [part, start, pitch] or null, note: [part, start, length, pitch,
// velocity] or null}, times in quarter notes.
window.textmusic = window.textmusic || {};
textmusic.Pencil = class {
  // on: {edit(edit), now(): seconds, say: words, tell(text)}.
  constructor(roll, on) {
    this.roll = roll;
    this.on = on;
    this.active = false;
    this.chosen = null;  // a note of the view
    this.length = 1;
    this.grid = 0.25;
    roll.lane.addEventListener("pointerdown", event => this.down(event), true);
    roll.scroll.addEventListener("keydown", event => this.key(event), true);
  }

  turn(active) {
    this.active = active;
    this.choose(null);
    this.roll.lane.classList.toggle("tm-pencil", active);
  }

  choose(note) {
    if (this.chosen) this.chosen[5] = undefined;
    this.chosen = note;
    if (note) {
      note[5] = "chosen";
      this.length = note[2];
      this.on.tell(this.spoken(note));
    }
    this.roll.paint();
  }

  spoken([part, start, length, pitch]) {
    const {view} = this.roll, names = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
    const bar = this.roll.barAt(start), beat = start - view.bars[bar] + 1;
    const name = view.parts[part].drums ? view.kit[pitch] || String(pitch)
      : `${names[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
    return this.on.say.note_at.replace("{}", name).replace("{}", bar + 1)
      .replace("{}", Math.round(beat * 100) / 100).replace("{}", Math.round(length * 100) / 100);
  }

  // Where a pointer is: quarter note and pitch (of the kit, where it is over the drums).
  place(event) {
    const {roll} = this, box = roll.lane.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const drums = roll.kit.length > 0 && y >= roll.kitTop;
    const pitch = drums ? roll.kit[Math.min(Math.floor((y - roll.kitTop) / roll.kitRow), roll.kit.length - 1)]
      : roll.high - Math.floor((y - roll.top) / roll.row);
    return {quarter: roll.quarterAt(x), pitch, drums, y};
  }

  under({quarter, pitch, drums}) {
    const {view} = this.roll, slack = drums ? 0.2 : 0;
    return view.notes.findLast(([part, start, length, at]) => {
      const kit = view.parts[part].drums;
      const long = kit ? 0.25 : length;
      return kit === drums && at === pitch && quarter >= start - slack && quarter <= start + long;
    });
  }

  down(event) {
    if (!this.active || event.button || event.target.closest("button, input")) return;
    const place = this.place(event);
    if (place.y < this.roll.top) return;  // the names above the roll
    event.stopPropagation();
    event.preventDefault();
    this.roll.scroll.focus({preventScroll: true});
    const found = this.under(place);
    if (!found) return this.add(place);
    this.choose(found);
    const before = [...found], edge = place.quarter > before[1] + before[2] - Math.min(0.25, before[2] / 3);
    const lengthen = edge && !place.drums;
    const move = moved => {
      const now = this.place(moved), far = this.round(now.quarter - place.quarter);
      if (lengthen) found[2] = Math.max(this.grid, before[2] + far);
      else {
        found[1] = Math.max(0, before[1] + far);
        if (now.drums === place.drums) found[3] = Math.min(127, Math.max(0, now.pitch));
      }
      this.roll.paint();
    };
    const up = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      if ([1, 2, 3].some(n => found[n] !== before[n])) this.send(before, found);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
  }

  round(quarter) { return Math.round(quarter / this.grid) * this.grid; }

  // The part that a new note goes to: the one that is chosen for a selection, or the first that can.
  partFor(drums) {
    const {parts} = this.roll.view, wanted = this.roll.part;
    if (wanted !== null && parts[wanted].drums === drums) return wanted;
    return parts.findIndex(part => part.drums === drums);
  }

  add({quarter, pitch, drums}) {
    const part = this.partFor(drums);
    if (part < 0 || quarter < 0) return;
    const start = Math.floor(quarter / this.grid) * this.grid;
    const note = [part, start, drums ? this.grid : this.length, pitch, 80];
    this.roll.view.notes.push(note);
    this.choose(note);
    this.send(null, note);
  }

  key(event) {
    if (!this.active || !this.roll.view || event.target.closest("button, input")) return;
    const {view} = this.roll, note = this.chosen, shift = event.shiftKey;
    const across = {ArrowRight: 1, ArrowLeft: -1}[event.key], up = {ArrowUp: 1, ArrowDown: -1}[event.key];
    if (event.key === "Tab" && !event.ctrlKey && view.notes.length) {
      const sorted = [...view.notes].sort((a, b) => a[1] - b[1] || a[3] - b[3]);
      const at = note ? sorted.indexOf(note) + (shift ? -1 : 1)
        : sorted.findIndex(one => one[1] >= this.roll.quarters(this.on.now()) - 1e-3);
      if (at < 0 || at >= sorted.length) return this.choose(null);  // on to the next control
      this.choose(sorted[at]);
      this.roll.point(this.roll.seconds(sorted[at][1]), true);
    } else if (event.key.toLowerCase() === "n" && !event.ctrlKey && !event.metaKey) {
      const pitch = note ? note[3] : (this.roll.high + this.roll.low) >> 1;
      this.add({quarter: this.roll.quarters(this.on.now()), pitch, drums: this.roll.high < 0});
    } else if (!note) return;
    else if (event.key === "Delete" || event.key === "Backspace") {
      view.notes.splice(view.notes.indexOf(note), 1);
      this.choose(null);
      this.send(note, null);
    } else if (across || up) {
      const before = [...note];
      if (across && shift) note[2] = Math.max(this.grid, note[2] + across * this.grid);
      else if (across) note[1] = Math.max(0, note[1] + across * this.grid);
      else note[3] = Math.min(127, Math.max(0, note[3] + up * (shift ? 12 : 1)));
      this.choose(note);
      this.send(before, note);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  send(before, note) {
    this.on.edit({
      old: before && [before[0], before[1], before[3]],
      note: note && note.slice(0, 5),
    });
  }
};
