// What pages use of CodeMirror; tools/vendor.py makes one file of it.
export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
export { jinja } from "@codemirror/lang-jinja";
export { bracketMatching, syntaxHighlighting } from "@codemirror/language";
export { lintGutter, setDiagnostics } from "@codemirror/lint";
export { EditorState } from "@codemirror/state";
export { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
export { classHighlighter } from "@lezer/highlight";
