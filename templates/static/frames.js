// Frames that hold a mail grow to its height. They run nothing; this only measures them.

function fit(frame) {
  const page = frame.contentDocument;
  if (!page?.body) return;
  // How tall the mail is, not how far it can be scrolled: that is never less than the frame.
  const grow = () => {
    frame.style.blockSize = `${Math.ceil(page.documentElement.getBoundingClientRect().height) + 2}px`;
  };
  grow();
  new ResizeObserver(grow).observe(page.body);
}

for (const frame of document.querySelectorAll("iframe[data-fit]")) {
  frame.addEventListener("load", () => fit(frame));
  if (frame.contentDocument?.readyState === "complete") fit(frame);
}
