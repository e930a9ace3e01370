// Counts down to when a campaign begins, and loads the page anew when it has: see _countdown.html.
const box = document.querySelector("[data-countdown]");
if (box) {
  const ends = performance.now() + Number(box.dataset.countdown) * 1000;
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-left]");
  const forms = Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit: "second",
    unitDisplay: "long",
  });
  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    bar.value = left;
    if (words) words.textContent = left ? forms.format(left) : words.dataset.word;
    // What is due is begun at the scheduler's next look: a few seconds at most.
    if (left) setTimeout(tick, 250);
    else setTimeout(() => location.reload(), 2000);
  };
  tick();
}
