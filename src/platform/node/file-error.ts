/** @file What the system says about a file, as a sentence: which file, what is wrong, and what to do. */

import { HocketError } from "../../errors.js";

/** Is this the system's refusal of a file operation? (Then it has a code such as ENOENT.) */
export const isFileError = (error: unknown): error is NodeJS.ErrnoException & { code: string } =>
  error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";

/** The person's version of `error`, which came up while reading or writing `path`. Other errors pass unchanged. */
export function fileError(error: unknown, doing: "reading" | "writing", path: string): unknown {
  if (!isFileError(error)) return error;
  const sentence = sentences[doing][error.code] ?? `failed while ${doing}: ${error.message}`;
  return new HocketError(doing === "reading" ? "bad-file" : "disk", `${path} ${sentence}`, { cause: error });
}

// --- internal ---

const sentences: Record<"reading" | "writing", Record<string, string>> = {
  reading: {
    ENOENT: "does not exist: check the path",
    ENOTDIR: "does not exist: a part of that path is a file, not a folder",
    EISDIR: "is a folder, and a file is needed: name a file in it",
    EACCES: "may not be read: check its permissions",
    EPERM: "may not be read: check its permissions",
    ELOOP: "is a link that leads back to itself",
    EMFILE: "cannot be opened because too many files are open: close some programs, or raise 'ulimit -n'",
    EIO: "could not be read: the disk reports an error",
  },
  writing: {
    ENOENT: "cannot be written: the folder does not exist; create it first",
    ENOTDIR: "cannot be written: a part of that path is a file, not a folder",
    EISDIR: "is a folder: name the file to write",
    EACCES: "may not be written: check the permissions of its folder, or choose another place",
    EPERM: "may not be written: check the permissions of its folder, or choose another place",
    EROFS: "lies on a read-only disk: choose another place",
    ENOSPC: "could not be written: the disk is full; free some space, or choose another place",
    EFBIG: "could not be written: it is larger than files may be here (see 'ulimit -f'); choose another place",
    EDQUOT: "could not be written: your quota on this disk is used up; free some space, or choose another place",
    ENAMETOOLONG: "cannot be written: the name is too long",
  },
};
