/** @file Command lines: a table of options becomes a strict parser and a help text. */

import { parseArgs } from "node:util";
import { HocketError } from "../errors.js";
import type { Command, Given, Option } from "./command.js";

/** @throws HocketError "bad-request" for unknown options, missing or impossible values, and too few or many words */
export function parseCommand(command: Command, args: readonly string[]): Given {
  const wrong = (what: string) => new HocketError("bad-request", `${what}; see 'hocket ${command.name} --help'`);
  const { values, positionals } = parsed(command, args, wrong);
  const { name, help, many, optional } = command.operand ?? {};
  const extra = positionals[name === undefined ? 0 : 1];
  if (help !== undefined && positionals.length === 0 && !optional) throw wrong(`${command.name} needs ${help}`);
  if (extra !== undefined && many === undefined)
    throw wrong(
      `"${extra}" is one word too many${name === undefined ? "" : `: put ${name.toLowerCase()}s of several words in quotes`}`,
    );

  const numbers = new Map<string, number>();
  for (const [name, { kind, choices }] of Object.entries(command.options)) {
    const value = values[name];
    if (typeof value !== "string") continue;
    if (choices !== undefined && !choices.includes(value))
      throw wrong(`--${name}: "${value}" is none of ${choices.join(", ")}`);
    if (kind !== "number") continue;
    if (value.trim() === "" || Number.isNaN(Number(value))) throw wrong(`--${name}: "${value}" is not a number`);
    numbers.set(name, Number(value));
  }
  return {
    operand: positionals[0] ?? "",
    operands: positionals,
    text: (name) => values[name] as string | undefined,
    texts: (name) => (values[name] ?? []) as readonly string[],
    number: (name) => numbers.get(name),
    flag: (name) => values[name] === true,
  };
}

export function helpFor({ name, summary, operand, options, examples }: Command): string {
  const spelled = Object.entries(options).map(([option, { short, value, help, choices }]) => {
    const shown = choices === undefined ? value : choices.join("|");
    return [
      `${short === undefined ? "    " : `-${short}, `}--${option}${shown === undefined ? "" : ` ${shown}`}`,
      help,
    ] as const;
  });
  const width = Math.min(34, Math.max(...spelled.map(([left]) => left.length)));
  const lines = spelled.map(([left, help]) =>
    left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${help}` : `  ${left.padEnd(width)}  ${help}`,
  );
  const shown = examples.map((example) => `  ${example}`).join("\n");
  const word = operand === undefined ? "" : `${operand.name}${operand.many ? "..." : ""}`;
  const words = word === "" ? "" : operand?.optional ? `[${word}] ` : `${word} `;
  const told = operand === undefined ? "" : `  ${operand.name}: ${operand.help}\n\n`;
  return `hocket ${name} ${words}[options]\n${summary}\n\n${told}${lines.join("\n")}\n\n${shown}\n`;
}

// --- internal ---

function parsed(command: Command, args: readonly string[], wrong: (what: string) => HocketError) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { kind, short, many = false }]) => [
      name,
      {
        type: kind === "flag" ? ("boolean" as const) : ("string" as const),
        multiple: many,
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: joinNegatives(command.options, args), options, allowPositionals: true, strict: true });
  } catch (error) {
    throw wrong(said((error as Error).message, command.operand?.name ?? "word"));
  }
}

/** What Node says about a command line, shorter. */
function said(message: string, operand: string): string {
  const [first] = message.split(/[.\n] ?/) as [string];
  const [, unknown] = /^Unknown option '(.*)'$/.exec(first) ?? [];
  if (unknown?.startsWith("--")) return `there is no option ${unknown}`;
  if (unknown !== undefined)
    return `there is no option ${unknown}; a ${operand} that begins with "-" goes last, after --`;
  return first
    .replace(/^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?'/, "$1")
    .replace(/argument missing$/, "needs a value")
    .replace(/argument is ambiguous$/, "needs a value; one that begins with - is joined to it with =")
    .replace(/does not take an argument$/, "takes no value");
}

/** "--duration -5" means the number -5, which the parser would take for an option. */
function joinNegatives(options: Readonly<Record<string, Option>>, args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = options[joined.at(-1)?.match(/^--([a-z-]+)$/)?.[1] ?? ""];
    if (option?.kind === "number" && /^-[\d.IN]/.test(arg)) joined.push(`${joined.pop()}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}
