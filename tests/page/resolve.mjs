// Lets Node import the page's modules as the server serves them: /vendor/ is in node_modules.
import { register } from "node:module";
import { pathToFileURL } from "node:url";

const root = new URL("../../", import.meta.url);
const hooks = `
const vendor = {
  "/vendor/sha3.js": "node_modules/@noble/hashes/sha3.js",
  "/vendor/fzstd.js": "node_modules/fzstd/esm/index.mjs",
};
export async function resolve(specifier, context, next) {
  const file = vendor[specifier];
  return file ? next(new URL(file, ${JSON.stringify(root.href)}).href, context) : next(specifier, context);
}
export async function load(url, context, next) {
  return next(url, url.includes("/backend/api/page/") ? { ...context, format: "module" } : context);
}
`;
register("data:text/javascript," + encodeURIComponent(hooks), pathToFileURL("./"));
