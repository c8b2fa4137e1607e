// The list of a browser's pieces: choose, rename, keep as a favourite, share, delete.
window.textmusic = window.textmusic || {};
textmusic.Pieces = class {
  constructor(element, {props, watch, trigger}) {
    this.say = textmusic.words(props.words);
    this.trigger = trigger;
    this.own = document.createElement("nav");
    this.own.className = "tm-pieces";
    this.own.setAttribute("aria-label", this.say.pieces);
    element.querySelector(".tm-pieces-place").append(this.own);
    this.own.addEventListener("click", event => {
      const button = event.target.closest("button[data-do]");
      if (button) this.do(button.dataset.do, button.closest("li").dataset.token, button);
    });
    watch("value", () => this.show(props.value));
    this.show(props.value);
  }

  show(value) {
    const shown = JSON.stringify(value);
    if (shown === this.shown) return;  // what is open in the list stays open
    this.shown = shown;
    const pieces = (value && value.pieces) || [], {say} = this;
    this.own.hidden = !pieces.length;
    const list = document.createElement("ul");
    for (const piece of pieces) {
      const row = document.createElement("li"), chosen = piece.token === value.chosen;
      row.dataset.token = piece.token;
      if (chosen) row.className = "tm-now";
      const button = (name, sign, label, more = "") =>
        `<button type="button" data-do="${name}" title="${label}" aria-label="${label}" ${more}>${sign}</button>`;
      row.innerHTML = `<button type="button" data-do="choose" ${chosen ? 'aria-current="true"' : ""}>
          <b></b><small></small></button><span class="tm-tools">
          ${button("favour", piece.favourite ? "★" : "☆", say.favourite, `aria-pressed="${piece.favourite}"`)}
          ${button("rename", "✎", say.rename)}${button("settings", "⚙", say.settings)}
          ${button("link", textmusic.Pieces.CHAIN, say.link)}${button("delete", "✕", say.delete)}</span>`;
      row.querySelector("b").textContent = piece.title || say.untitled;
      row.querySelector("small").textContent = piece.facts;
      list.append(row);
    }
    const focus = this.own.contains(document.activeElement) && document.activeElement.dataset.do;
    this.own.innerHTML = `<h3>${say.pieces}</h3>`;
    this.own.append(list);
    if (focus) this.own.querySelector(`.tm-now button[data-do=${focus}], button`)?.focus();
    const linked = sessionStorage.getItem("textmusic-linked"), row = linked && list.querySelector(`li[data-token="${linked}"]`);
    if (row) this.link(linked, row.querySelector("[data-do=link]"));
  }

  do(what, token, button) {
    if (what === "rename") return this.rename(token, button);
    if (what === "link") return this.link(token, button);
    if (what === "delete" && !button.classList.contains("tm-sure")) {
      const ask = (sure, sign, label) => {  // read aloud as it is shown
        button.classList.toggle("tm-sure", sure);
        button.textContent = sign;
        button.title = label;
        button.setAttribute("aria-label", label);
      };
      ask(true, this.say.sure, this.say.sure);
      setTimeout(() => ask(false, "✕", this.say.delete), 4000);
      return;
    }
    const {desk} = textmusic;
    if (desk) desk.flush();
    if (what === "delete" && desk && desk.view && desk.view.token === token) {
      desk.player.drop();
      desk.address = null;
    }
    this.trigger("act", {what, token});
  }

  rename(token, button) {
    const name = button.closest("li").querySelector("b"), box = document.createElement("input");
    box.value = name.textContent;
    box.maxLength = 120;
    box.setAttribute("aria-label", this.say.rename);
    const choose = name.closest("button");
    let done = false;
    const end = keep => {
      if (done || !box.isConnected) return;
      done = true;  // a box that is taken away loses its focus, too
      box.replaceWith(choose);
      if (keep) this.trigger("act", {what: "rename", token, title: box.value});
    };
    box.addEventListener("keydown", event => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    box.addEventListener("blur", () => end(true));
    choose.replaceWith(box);
    box.select();
  }

  // The address that opens the piece, to be copied; a second button makes it worthless.
  link(token, button) {
    const row = button.closest("li"), open = row.querySelector(".tm-link");
    // it stays open when the list is made anew, and when gradio loads the page anew after Back
    sessionStorage.setItem("textmusic-linked", open ? "" : token);
    if (open) return open.remove();
    const address = new URL(location.href);
    address.search = `?piece=${token}`;
    address.hash = "";
    const box = document.createElement("span");
    box.className = "tm-link";
    box.innerHTML = `<input readonly aria-label="${this.say.link}">
      <button type="button">${this.say.copy}</button>
      <button type="button" data-do="renew" title="${this.say.revoke_info}">${this.say.revoke}</button>`;
    box.querySelector("input").value = address.href;
    const copy = box.querySelector("button");
    copy.addEventListener("click", async () => {
      box.querySelector("input").select();
      try { await navigator.clipboard.writeText(address.href); } catch { document.execCommand("copy"); }
      copy.textContent = this.say.copied;
    });
    row.append(box);
    box.querySelector("input").select();
  }
};
// A chain, which fonts do not always have.
textmusic.Pieces.CHAIN = '<svg aria-hidden="true" width="15" height="15" viewBox="0 0 24 24" fill="none"' +
  ' stroke="currentColor" stroke-width="2.2" stroke-linecap="round"><path d="M10 14a5 5 0 0 0 7 0l3-3a5 5 0 0' +
  ' 0-7-7l-1.5 1.5M14 10a5 5 0 0 0-7 0l-3 3a5 5 0 0 0 7 7l1.5-1.5"/></svg>';
