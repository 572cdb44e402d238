/** @file Choosing a folder on the server's machine: by name, step by step. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, type FolderList, type FolderResource } from "../../../src/server/client.js";
import { go } from "../state/place.js";
import { client, line, messageOf, noteLoss } from "../state/server.js";
import { Icon } from "../ui/icons.js";
import { attempt, fetchTraining } from "./state.js";

export function Folders() {
  const list = useSignal<FolderList | undefined>(undefined);
  const refused = useSignal<{ readonly status: number; readonly message: string } | undefined>(undefined);
  const busy = useSignal(false);
  const look = async (id?: string): Promise<void> => {
    busy.value = true;
    try {
      let found = await client.training.folders(id);
      const [only] = found.folders; // one place to begin at is begun at
      if (id === undefined && found.folders.length === 1) found = await client.training.folders(only!.id);
      list.value = found;
      refused.value = undefined;
    } catch (error) {
      noteLoss(error);
      if (error instanceof ApiError && error.status === 404 && id !== undefined) return look(); // the server began anew
      if (error instanceof ApiError) refused.value = { status: error.status, message: messageOf(error) };
    } finally {
      busy.value = false;
    }
  };
  useEffect(() => {
    if (line.value === "open" && list.value === undefined) void look();
  }, [line.value]);

  if (refused.value?.status === 403) return <Closed />;
  if (refused.value !== undefined)
    return (
      <p class="problem" role="alert">
        {refused.value.message}{" "}
        <button type="button" class="plain" onClick={() => void look()}>
          Try again
        </button>
      </p>
    );
  if (list.value === undefined) return <p class="loading">{line.value === "lost" ? "" : "Looking at your folders"}</p>;
  const { path, folders, more } = list.value;
  const here = path.at(-1);
  return (
    <div class={`browse${busy.value ? " busy" : ""}`}>
      <nav aria-label="Where you are" class="crumbs">
        {path.map((folder, i) => (
          <span key={folder.id}>
            {i > 0 && <span aria-hidden="true">/</span>}
            <button
              type="button"
              aria-current={i === path.length - 1 ? "location" : undefined}
              onClick={() => void look(folder.id)}
            >
              {folder.name}
            </button>
          </span>
        ))}
      </nav>
      {folders.length > 0 ? (
        <ul class="folders" aria-label="Folders">
          {folders.map((folder) => (
            <li key={folder.id}>
              <button type="button" onClick={() => void look(folder.id)}>
                <Icon name="folder" />
                <span>{folder.name}</span>
                <small>{songs(folder)}</small>
              </button>
            </li>
          ))}
        </ul>
      ) : (
        <p class="muted bare">No folders in it.</p>
      )}
      {more && <p class="muted bare">There are more folders than are shown here.</p>}
      {here !== undefined && (
        <p class="buttons">
          <button type="button" class="go" disabled={line.value !== "open"} onClick={() => void listenTo(here)}>
            Listen through “{here.name}”
          </button>
          <small>{songs(here) === "" ? "and all folders in it" : `${songs(here)}, and those in its folders`}</small>
        </p>
      )}
    </div>
  );
}

// --- internal ---

/** The server lets nobody choose. */
const Closed = () => (
  <div class="browse">
    <p>This server was started without folders to learn from. Whoever started it can name one:</p>
    <p>
      <code>hocket serve --music FOLDER</code>
    </p>
  </div>
);

const songs = ({ sounds }: FolderResource): string =>
  sounds === 0 ? "" : sounds === 1 ? "1 sound file" : `${sounds}${sounds >= 1000 ? " or more" : ""} sound files`;

const listenTo = ({ id }: FolderResource) =>
  attempt(async () => {
    const music = await client.training.listen(id);
    await fetchTraining();
    go("train", music.id);
  });
