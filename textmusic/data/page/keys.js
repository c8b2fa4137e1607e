// Keys of the whole page: Enter writes, Space plays and pauses, Escape stops, Ctrl+Z takes back.
(() => {
  const typing = element => element.closest("input:not([type=range]), textarea, select, [contenteditable]");
  const press = selector => {
    const button = [...document.querySelectorAll(selector)].find(b => b.offsetParent && !b.disabled);
    if (button) button.click();
    return Boolean(button);
  };
  document.addEventListener("keydown", event => {
    const {desk} = textmusic, at = event.target;
    if (event.isComposing || !at.closest) return;
    if (event.key === "Enter" && !event.shiftKey && at.closest(".tm-words textarea")) {
      // before gradio's own: there Enter is a new line
      event.preventDefault();
      event.stopImmediatePropagation();
      // what was typed last is on its way to the page's state
      setTimeout(() => press(".tm-generate"), 60);
      return;
    }
    if (!desk || !desk.view) return;
    if (event.key === "Escape" && !at.closest("[role=listbox], .options")) {
      if (desk.view.writing) desk.do("halt");
      else desk.player.pause();
      return;
    }
    if (typing(at)) return;
    if (event.key === " " && !at.closest("button, a, summary, [role=tab], [role=button], label")) {
      event.preventDefault();
      desk.player.toggle();
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      const name = event.shiftKey ? "redo" : "undo";
      if (!desk.own.querySelector(`[data-do=${name}]`).disabled) desk.do(name);
      event.preventDefault();
    }
  }, true);
  // Shift+Enter, which gradio takes for itself.
  document.addEventListener("keypress", event => {
    if (event.key === "Enter" && event.target.closest(".tm-words textarea"))
      event.stopImmediatePropagation();
  }, true);
  // While a piece is being written, another has to wait.
  document.addEventListener("click", event => {
    const at = event.target.closest && event.target.closest(".tm-generate, .tm-starts");
    if (!at || !textmusic.desk) return;
    if (!document.body.classList.contains("tm-writing"))
      return textmusic.desk.begin(() => at.click());
    event.preventDefault();
    event.stopImmediatePropagation();
    textmusic.desk.nudge();
  }, true);
  // A file dragged out of the page is the file, where the browser can do that.
  document.addEventListener("dragstart", event => {
    const link = event.target.closest && event.target.closest(".tm-files a");
    if (!link) return;
    const {download, href, dataset} = link;
    event.dataTransfer.setData("DownloadURL", `${dataset.mime}:${download}:${href}`);
  });
  // Any button that starts music also lets the player start by itself later.
  document.addEventListener("click", event => {
    if (event.target.closest && event.target.closest("button") && textmusic.desk) textmusic.desk.player.allow();
  }, true);
})();
