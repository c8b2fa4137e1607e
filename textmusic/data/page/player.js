// The sound of a piece: one audio element for all pieces, which a click has allowed to play; and,
// once a part is silenced or made louder, its parts' own files, mixed in the browser.
window.textmusic = window.textmusic || {};
textmusic.Player = class {
  // on: {change(), time(seconds), failed()}. stems: () -> promise of [address of each part].
  constructor(on, stems) {
    this.on = on;
    this.fetchStems = stems;
    this.audio = new Audio();
    this.audio.preload = "metadata";
    this.loop = null;  // [seconds, seconds]
    this.mix = null;  // {context, buffers, gains, sources, began, at}: when parts are mixed here
    this.next = null;  // the address that is gone over to when the one that plays has ended
    this.levels = [];
    this.piece = 0;  // how many there have been
    this.end = null;  // seconds: where a piece that was stopped ends, though its live file goes on
    for (const kind of ["play", "pause", "loadedmetadata", "durationchange", "seeked"])
      this.audio.addEventListener(kind, () => this.on.change());
    this.audio.addEventListener("ended", () => { this.settle(); this.on.change(); });
    this.audio.addEventListener("pause", () => this.settle());
    this.audio.addEventListener("error", () => { if (this.audio.src) this.on.failed(); });
    const tick = () => {
      if (this.playing) {
        const now = this.time;
        if (this.end !== null && now >= this.end) this.pause();
        if (this.loop && now >= this.loop[1] - 0.01) this.time = this.loop[0];
        this.on.time(this.time);
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // Browsers that want a click before any sound remember the element that it has started.
  allow() {
    if (this.allowed || this.audio.src) return;
    this.allowed = true;
    const samples = 441, size = 44 + samples, bytes = new DataView(new ArrayBuffer(size));
    const words = [["RIFF", 0], ["WAVEfmt ", 8], ["data", 36]];
    for (const [word, at] of words)
      [...word].forEach((letter, n) => bytes.setUint8(at + n, letter.charCodeAt(0)));
    const numbers = [[4, 36 + samples], [16, 16], [24, 44100], [28, 44100], [40, samples]];
    for (const [at, number] of numbers) bytes.setUint32(at, number, true);
    for (const [at, number] of [[20, 1], [22, 1], [32, 1], [34, 8]]) bytes.setUint16(at, number, true);
    for (let n = 44; n < size; n += 1) bytes.setUint8(n, 128);
    this.audio.src = URL.createObjectURL(new Blob([bytes], {type: "audio/wav"}));
    this.audio.play().catch(() => {});
  }

  // Another piece. go: whether it is to be heard at once.
  load(address, go) {
    this.unmix();
    this.piece += 1;
    this.levels = [];
    this.next = null;
    this.loop = null;
    this.end = null;
    this.audio.src = address;
    if (go) this.play();
    this.on.change();
  }

  // No piece any more: nothing is fetched of one that is gone.
  drop() {
    this.pause();
    this.unmix();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  // The same piece from another address: what plays goes on, and is changed when it has stopped.
  become(address, end) {
    this.end = end;
    if (this.audio.paused) this.change(address);
    else this.next = address;
  }

  settle() {
    if (this.next && !this.mix) this.change(this.next);
  }

  change(address) {
    const over = this.audio.ended || (this.end !== null && this.audio.currentTime >= this.end);
    const now = over ? 0 : this.audio.currentTime;
    this.next = this.end = null;
    this.audio.src = address;
    if (now > 0) this.audio.currentTime = now;
  }

  get playing() { return this.mix ? this.mix.began !== null : !this.audio.paused; }
  get duration() {
    const {duration} = this.audio;
    return this.mix ? this.mix.length : Number.isFinite(duration) ? duration : 0;
  }
  get time() {
    if (!this.mix) return this.audio.currentTime;
    const {context, began, at, length} = this.mix;
    return Math.min(began === null ? at : at + context.currentTime - began, length);
  }
  set time(seconds) {
    if (!this.mix) this.audio.currentTime = seconds;
    else {
      const going = this.playing;
      this.halt();
      this.mix.at = seconds;
      if (going) this.start();
    }
    this.on.time(seconds);
    this.on.change();
  }

  play() {
    document.querySelectorAll("audio").forEach(other => other.pause());
    if (this.mix) {
      if (this.time >= this.mix.length - 0.05) this.mix.at = 0;
      this.start();
      this.on.change();
      return;
    }
    this.audio.play().catch(problem => {
      this.refused = problem.name === "NotAllowedError";
      this.on.change();
    });
  }
  pause() {
    if (this.mix) this.halt();
    else this.audio.pause();
    this.on.change();
  }
  toggle() { this.playing ? this.pause() : this.play(); }
  stop() { this.pause(); this.time = this.loop ? this.loop[0] : 0; }

  // levels: of each part, 0 to 1. The first time, the parts' files are fetched.
  async levelled(levels) {
    this.levels = levels;
    if (!this.mix && levels.every(level => level === 1)) return;
    if (!this.mix) await this.take();
    if (!this.mix) return;
    this.mix.gains.forEach((gain, n) =>
      gain.gain.setTargetAtTime(this.levels[n] ?? 1, this.mix.context.currentTime, 0.01));
  }

  async take() {
    if (this.taking) return this.taking;
    const piece = this.piece;
    this.taking = (async () => {
      const context = new AudioContext();
      const buffers = await Promise.all((await this.fetchStems()).map(async address =>
        context.decodeAudioData(await (await fetch(address)).arrayBuffer())));
      if (this.piece !== piece) return context.close();  // another one has come meanwhile
      const going = this.playing, at = this.audio.currentTime;
      const gains = buffers.map(() => {
        const gain = context.createGain();
        gain.connect(context.destination);
        return gain;
      });
      this.audio.pause();
      const length = Math.max(...buffers.map(buffer => buffer.duration));
      this.mix = {context, buffers, gains, sources: [], began: null, at, length};
      gains.forEach((gain, n) => { gain.gain.value = this.levels[n] ?? 1; });
      if (going) this.start();
      this.on.change();
    })();
    try { await this.taking; } finally { this.taking = null; }
  }

  start() {
    const mix = this.mix;
    this.halt();
    mix.context.resume();
    mix.sources = mix.buffers.map((buffer, n) => {
      const source = mix.context.createBufferSource();
      source.buffer = buffer;
      source.connect(mix.gains[n]);
      source.start(0, Math.min(mix.at, buffer.duration));
      return source;
    });
    mix.began = mix.context.currentTime;
    mix.sources[0].onended = () => {
      if (this.mix === mix && this.time >= mix.length - 0.05) { this.halt(); this.on.change(); }
    };
  }
  halt() {
    const mix = this.mix;
    mix.at = this.time;
    mix.began = null;
    mix.sources.forEach(source => { source.onended = null; source.stop(); });
    mix.sources = [];
  }
  unmix() {
    if (!this.mix) return;
    this.halt();
    this.mix.context.close();
    this.mix = null;
  }
};
