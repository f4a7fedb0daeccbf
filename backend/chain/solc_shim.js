// A solc command line over the npm package `solc` (wasm), as py-solc-x expects of `solc_binary`.
// Speaks `--version` and `--standard-json`; resolves imports under --base-path and --include-path. CHAINBEASTS_SOLC
// names the package's folder. Writes nothing but its JSON to stdout (solc-js itself prints banners there). With `--lines`
// it goes on: a request a line, an answer a line, until stdin ends.
'use strict';
const fs = require('fs');
const path = require('path');

const args = process.argv.slice(2);
const log = console.log;
console.log = () => {};
const solc = require(process.env.CHAINBEASTS_SOLC || 'solc');
console.log = log;

function values(flag) {
  const found = [];
  args.forEach((arg, i) => {
    if (arg === flag) found.push(args[i + 1]);
    else if (arg.startsWith(flag + '=')) found.push(arg.slice(flag.length + 1));
  });
  return found;
}

function answer(request, callbacks) {
  const output = solc.compile(request, callbacks);
  return output.slice(output.indexOf('{'));
}

if (args.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (args.includes('--lines')) {
  const lines = require('readline').createInterface({ input: process.stdin });
  lines.on('line', (request) => process.stdout.write(answer(request) + '\n'));
} else {
  const roots = [...values('--base-path'), ...values('--include-path')];
  const find = (name) => {
    for (const root of roots) {
      const file = path.join(root, name);
      if (fs.existsSync(file)) return { contents: fs.readFileSync(file, 'utf8') };
    }
    return { error: `File not found: ${name}` };
  };
  const output = answer(fs.readFileSync(0, 'utf8'), { import: find });
  fs.writeSync(1, '');
  process.stdout.write(output);
}
