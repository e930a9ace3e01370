// Frames that hold a mail grow to its height. They run nothing; this only measures them.

function fit(frame) {
  const page = frame.contentDocument;
  if (!page?.body) return;
  const grow = () => { frame.style.blockSize = `${page.documentElement.scrollHeight + 2}px`; };
  frame.style.blockSize = "0";
  grow();
  new ResizeObserver(grow).observe(page.body);
}

for (const frame of document.querySelectorAll("iframe[data-fit]")) {
  frame.addEventListener("load", () => fit(frame));
  if (frame.contentDocument?.readyState === "complete") fit(frame);
}
