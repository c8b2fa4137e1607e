// Records a tune, and hands it over as a person's own file: a WAV file in the upload beside it.
window.textmusic = window.textmusic || {};
textmusic.Microphone = class {
  constructor(element, {props}) {
    this.say = textmusic.words(props.words);
    this.rate = props.rate;  // samples a second
    this.longest = props.longest;  // seconds
    this.own = element.querySelector(".tm-microphone-place");
    this.own.className = "tm-microphone";
    this.own.setAttribute("role", "group");
    this.own.setAttribute("aria-label", this.say.microphone);
    this.own.innerHTML = `<button type="button" data-do="record">${this.say.record}</button>
      <button type="button" data-do="discard" hidden>${this.say.discard}</button>
      <span data-is="clock" aria-hidden="true"></span><span data-is="said" role="status"></span>`;
    this.own.addEventListener("click", event => {
      const button = event.target.closest("button[data-do]");
      if (button) this.do(button.dataset.do);
    });
    textmusic.microphone = this;
  }

  find(name) {
    return this.own.querySelector(`[data-is=${name}], [data-do=${name}]`);
  }

  do(what) {
    if (!this.recorder) return this.begin();
    this.kept = what === "record";
    this.recorder.stop();
  }

  tell(said) {
    this.find("said").textContent = said;
  }

  async begin() {
    if (this.asking) return;
    this.asking = true;
    textmusic.desk?.player.pause();
    try {
      if (!navigator.mediaDevices) throw {name: "InsecureError"};
      // what makes speech clearer takes held notes for noise
      const plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
      this.stream = await navigator.mediaDevices.getUserMedia({audio: plain});
      this.record(new MediaRecorder(this.stream, {audioBitsPerSecond: 128000}));
    } catch (problem) {
      this.release();
      const {say} = this;
      const known = {NotAllowedError: say.no_leave, NotFoundError: say.no_microphone, InsecureError: say.insecure};
      this.tell(known[problem.name] || say.no_recording);
    }
    this.asking = false;
  }

  record(recorder) {
    const parts = [];
    recorder.addEventListener("dataavailable", event => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      this.release();
      if (this.kept) this.hand(new Blob(parts));
      else this.tell("");
    });
    this.kept = true;  // also where the microphone is taken away
    recorder.start();
    this.recorder = recorder;
    const began = performance.now();
    const tick = () => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      this.find("clock").textContent = `${textmusic.Microphone.clock(seconds)} / ${textmusic.Microphone.clock(this.longest)}`;
      if (seconds >= this.longest && recorder.state === "recording") recorder.stop();
    };
    this.ticking = setInterval(tick, 250);
    tick();
    this.find("record").textContent = this.say.record_done;
    this.find("discard").hidden = false;
    this.own.classList.add("tm-recording");
    this.tell(this.say.recording);
  }

  release() {
    clearInterval(this.ticking);
    for (const track of this.stream?.getTracks() || []) track.stop();
    this.stream = this.recorder = null;
    this.own.classList.remove("tm-recording");
    this.find("record").textContent = this.say.record;
    this.find("discard").hidden = true;
    this.find("clock").textContent = "";
  }

  async hand(blob) {
    this.tell(this.say.hearing);
    let sound;
    try {
      const decoder = new OfflineAudioContext(1, 1, this.rate);
      sound = await decoder.decodeAudioData(await blob.arrayBuffer());
    } catch {
      return this.tell(this.say.no_recording);  // nothing came in before it ended
    }
    const file = new File([this.wav(sound)], `${this.say.recorded}.wav`, {type: "audio/wav"});
    const files = new DataTransfer();
    files.items.add(file);
    let input;
    while (!(input = document.querySelector(".tm-upload input[type=file]")))  // another file is read
      await new Promise(done => setTimeout(done, 200));
    input.files = files.files;
    input.dispatchEvent(new Event("change", {bubbles: true}));
  }

  // The upload has been read, whatever has come of it.
  rest() {
    if (!this.recorder) this.tell("");
  }

  // Mono, 16 bits, no longer than what is read.
  wav(sound) {
    const channels = [...Array(sound.numberOfChannels).keys()].map(n => sound.getChannelData(n));
    const length = Math.min(sound.length, this.longest * this.rate), data = new DataView(new ArrayBuffer(44 + 2 * length));
    const word = (at, text) => [...text].forEach((sign, n) => data.setUint8(at + n, sign.charCodeAt(0)));
    const long = (at, value) => data.setUint32(at, value, true), short = (at, value) => data.setInt16(at, value, true);
    word(0, "RIFF"), long(4, 36 + 2 * length), word(8, "WAVEfmt "), long(16, 16), short(20, 1), short(22, 1);
    long(24, this.rate), long(28, 2 * this.rate), short(32, 2), short(34, 16), word(36, "data"), long(40, 2 * length);
    for (let n = 0; n < length; n++) {
      const sample = channels.reduce((sum, one) => sum + one[n], 0) / channels.length;
      short(44 + 2 * n, Math.round(32767 * Math.max(-1, Math.min(1, sample))));
    }
    return data.buffer;
  }

  static clock(seconds) {
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
};
