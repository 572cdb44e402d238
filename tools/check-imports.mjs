// Which part of src may know which, and why. Prints every import that points the wrong way, and every file that is too
// long or does not say what it is for; exits 1 if there is one. Usage: node tools/check-imports.mjs [repository]
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const leaves = ["errors.ts", "checked.ts", "tensor.ts", "codes.ts"];
const stations = ["text", "melody", "lm", "codec", "weights"];
const top = "*.ts"; // the other files at the top of src
const learning = ["data", "recipe", "train", "eval"];
const library = [...leaves, "platform", "graph", ...stations, "audio", top];

/** [parts of src, what of src they may import besides themselves, why nothing else] */
const arrows = [
  [leaves, leaves, "everything imports the leaves, so they import nothing"],
  [["audio"], ["errors.ts"], "sound files are of use without a model"],
  [["platform"], leaves, "the platform runs any graph: it knows no model"],
  [["graph"], [...leaves, "platform"], "graphs are described and compiled without knowing what they compute"],
  [stations, [...leaves, "platform", "graph"], "stations meet only in the files at the top of src, which connect them"],
  [["data"], library, "what is learnt from is files and labels, whoever made them and whatever learns"],
  [["recipe"], [...library, "data"], "music is made for learning without knowing what learns from it"],
  [["train"], [...library, "data"], "training takes any data, and works without the server and the command line"],
  [["eval"], [...library, "data", "recipe", "train"], "judging what was learnt works without the command line"],
  [["server"], [...library, ...learning], "the server works without the command line"],
  [["bench"], [...library, ...learning], "what is measured knows nothing of who asks"],
  [["cli"], [...library, ...learning, "server", "bench"], "the command line is on top of everything"],
  [[top], library, "the library works without training, the server and the command line"],
];

/** [importing file, what it imports, why not] */
const never = [
  [
    /^src\/(?!platform\/node|server\/|bench\/|cli\/)/,
    /^node:/,
    "everything but the platform and the shells runs in browsers too",
  ],
  [/^src\/(?!platform\/)/, /^onnxruntime-/, "what executes graphs is the platform's choice"],
  [/^src\//, /^src\/(.*\/)?index\.ts$/, "an index is for those outside; inside, import the file that says it"],
  [/^src\//, /^(?!src\/)[^/]*\/.*\.ts$/, "the package holds src only"],
];

const longest = 320;
const tables = ["src/graph/ops.ts"]; // may be longer
const isTest = (file) => /\.test\.ts$|\/conformance\.ts$/.test(file);

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
const files = readdirSync(join(root, "src"), { recursive: true })
  .map((file) => `src/${slashes(file)}`)
  .filter((file) => file.endsWith(".ts") && !isTest(file))
  .sort();
const problems = files.flatMap(problemsOf);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${files.length} files of src: every import points the right way`);

function problemsOf(file) {
  const lines = readFileSync(join(root, file), "utf8").trimEnd().split("\n");
  const found = [];
  if (!/^\/\*\*(\n \*)? @file \S/.test(lines.join("\n")))
    found.push(`${file}:1 does not start with what it is for: /** @file ... */`);
  if (lines.length > longest && !tables.includes(file))
    found.push(
      `${file}:${longest + 1} has ${lines.length} lines: a file is one idea, and ${longest} lines are enough for it`,
    );
  for (const [n, line] of lines.entries())
    for (const [, spelled] of line.matchAll(/(?:^import |^(?:import|export|\}).* from |\bimport\()"([^"]+)"/g)) {
      const reason = whyNot(file, imported(file, spelled));
      if (reason !== undefined) found.push(`${file}:${n + 1} imports ${spelled}: ${reason}`);
    }
  return found;
}

/** A file of the repository, or a package. */
function imported(file, spelled) {
  if (spelled === "#platform") return "src/platform/node.ts";
  return spelled.startsWith(".") ? slashes(normalize(join(dirname(file), spelled))).replace(/\.js$/, ".ts") : spelled;
}

function whyNot(file, target) {
  const rule = never.find(([from, to]) => from.test(file) && to.test(target));
  if (rule !== undefined) return rule[2];
  if (!target.startsWith("src/")) return undefined;
  const [from, to] = [file, target].map((path) => path.split("/")[1]);
  const arrow = arrows.find(([parts]) => isAmong(parts, from));
  if (arrow === undefined) return `src/${from} has no row in tools/check-imports.mjs: say there what it may import`;
  return from === to || isAmong(arrow[1], to) ? undefined : arrow[2];
}

/** Is this folder of src, or file at its top, one of `parts`? */
function isAmong(parts, part) {
  return parts.includes(part) || (parts.includes(top) && part.endsWith(".ts"));
}

function slashes(path) {
  return path.replaceAll("\\", "/");
}
