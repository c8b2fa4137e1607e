// What gradio's own components say in English alone, or in ways that screen readers stumble over.
window.textmusic = window.textmusic || {};
textmusic.mend = say => {
  const begins = ["number input for ", "range slider for "];
  const mends = {
    // sliders: the label says enough, and the reset button needs one of its own
    "[aria-label^='number input for'], [aria-label^='range slider for']": element => {
      if (!textmusic.chinese) return;
      const name = element.getAttribute("aria-label");
      for (const begin of begins)
        if (name.startsWith(begin)) element.setAttribute("aria-label", name.slice(begin.length));
    },
    "[aria-label='Reset to default value']": element => {
      element.setAttribute("aria-label", say.reset);
      element.title = say.reset;
    },
    // its own words are its name
    ".upload-container[aria-label]": element => element.removeAttribute("aria-label"),
    // beside the same word
    "footer img[alt]:not([alt=''])": element => element.setAttribute("alt", ""),
    "footer[aria-label], footer [aria-label='Gradio footer navigation']":
      element => element.removeAttribute("aria-label"),
    // a button inside a button: the outer one only folds the message
    ".toast-header[role=button]": element => {
      element.removeAttribute("role");
      element.removeAttribute("tabindex");
    },
    ".toast-close": element => element.setAttribute("aria-label", say.close),
    ".toast-title": element => {
      const said = element.classList.contains("info") ? say.thanks : say.notice;
      if (element.textContent !== said) element.textContent = said;
    },
    ".sr-only": element => {
      const found = element.textContent.match(/^(\d+) choices shown, (\d+) remaining$/);
      if (found) element.textContent = say.shown.replace("{}", found[1]).replace("{}", found[2]);
    },
    // words that are not there in any language
    "[aria-live]": element => {
      if (element.textContent.trim() === "common.complete") element.textContent = "";
    },
    // what scrolls has to be reached by keys
    ".tm-sheet, .tm-report": element => {
      const scrolls = element.scrollWidth > element.clientWidth + 1;
      if (scrolls !== element.hasAttribute("tabindex"))
        scrolls ? element.setAttribute("tabindex", "0") : element.removeAttribute("tabindex");
    },
  };
  let waiting = false;
  const all = () => {
    waiting = false;
    for (const [selector, mend] of Object.entries(mends))
      document.querySelectorAll(selector).forEach(mend);
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(all);
    waiting = true;
  };
  new MutationObserver(soon).observe(document.body, {
    childList: true, subtree: true, characterData: true, attributeFilter: ["aria-label", "alt"],
  });
  addEventListener("resize", soon);
  soon();
};
