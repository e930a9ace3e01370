// Tells that the form was seen, and that something was begun in it: two numbers, about nobody.
// Without it, or where it is blocked, the form works as well and is not counted.

const form = document.querySelector("form[data-steps]");

function tell(step) {
  const { form: slug, partner, page } = form.dataset;
  const said = { form: slug, partner: partner || null, page, step, lang: document.documentElement.lang };
  navigator.sendBeacon(form.dataset.steps, JSON.stringify(said));
}

if (form) {
  new IntersectionObserver((entries, watcher) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    tell("seen");
  }).observe(form);
  form.addEventListener("input", () => tell("started"), { once: true });
}
