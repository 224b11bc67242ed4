// What rss-parser finds: the folder it is installed in, then addresses, as arguments; JSON on standard output.
import { createRequire } from "node:module";

const [folder, ...addresses] = process.argv.slice(2);
const Parser = createRequire(`${folder}/`)("rss-parser");
const found = {};
for (const address of addresses) {
  found[address] = await new Parser({ timeout: 20000 }).parseURL(address);
}
process.stdout.write(JSON.stringify(found));
