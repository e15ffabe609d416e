"use strict";
(() => {
  const form = document.getElementById("filter");
  const results = [...document.querySelectorAll(".result")];
  const specs = [...document.querySelectorAll("details.spec")];
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { outcome, backend, scope } = Object.fromEntries(new FormData(form));
    let shown = 0;
    for (const one of results) {
      const fits = (!outcome || one.dataset.outcome === outcome) && (!backend || one.dataset.backend === backend)
        && (!scope || one.dataset.scope === scope)
        && words.every((word) => one.dataset.text.includes(word));
      one.hidden = !fits;
      shown += fits;
    }
    for (const spec of specs) spec.hidden = !spec.querySelector(".result:not([hidden])");
    form.elements.count.value = `${shown} of ${results.length} shown`;
  };
  for (const event of ["input", "change"]) form.addEventListener(event, apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
