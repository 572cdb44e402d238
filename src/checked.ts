/** @file What comes from outside, checked against what it should be, and what is wrong with it in plain words. */

import type { z } from "#zod";
import { HocketError } from "./errors.js";

/**
 * The part of a model's files that `schema` describes.
 * @param where the file, and what of it is described
 * @throws HocketError "bad-checkpoint" naming each field that cannot be
 */
export function checked<S extends z.ZodType>(schema: S, json: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(json, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${problemOf(issue)}`);
  throw new HocketError("bad-checkpoint", `${where}: ${problems.join("; ")}`);
}

/** What is wrong with a value, for people, by what zod says with `reportInput`. */
export function problemOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_union": {
      // One value or a list of them: what is wrong with the one that it is.
      const isIt = ([first]: readonly z.core.$ZodIssue[]) =>
        first !== undefined && (first.code !== "invalid_type" || first.expected === "int" || first.path.length > 0);
      return problemOf((issue.errors.find(isIt) ?? issue.errors[0]!)[0]!);
    }
    case "invalid_type": {
      const wanted = issue.expected === "int" ? "whole number" : issue.expected;
      return `${shown(issue.input)} is not ${wanted === "array" || wanted === "object" ? "an" : "a"} ${wanted}`;
    }
    case "too_small":
      if (issue.origin === "array") return "the list is empty";
      if (issue.origin === "string") return `the text is too short: give at least ${issue.minimum} characters`;
      return `${shown(issue.input)} is too little: give ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "array") return `the list is too long: give at most ${issue.maximum}`;
      if (issue.origin === "string") return `the text is too long: give at most ${issue.maximum} characters`;
      return `${shown(issue.input)} is too much: give ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "unrecognized_keys":
      return `there is no ${issue.keys.join(", ")}`;
    default:
      return issue.message;
  }
}

// --- internal ---

const shown = (value: unknown): string =>
  typeof value === "object" && value !== null ? "an object" : typeof value === "string" ? `"${value}"` : `${value}`;
