/** @file A take as files: to be saved, or dragged out to another program. */

import type { Generation } from "../../../src/server/client.js";
import { client } from "../state/server.js";
import { nameOf } from "../state/takes.js";
import { Icon } from "../ui/icons.js";

const formats = [
  ["wav", "audio/wav"],
  ["mp3", "audio/mpeg"],
  ["flac", "audio/flac"],
] as const;

export function Downloads({ take, piece }: { readonly take: Generation; readonly piece: number }) {
  const name = `${nameOf(take)
    .normalize("NFKD")
    .replace(/[^\w]+/g, "-")
    .slice(0, 60)}-${take.pieces[piece]!.seed}`;
  const files = [
    ...formats.map(
      ([format, type]) =>
        [
          format.toUpperCase(),
          type,
          `${name}.${format}`,
          client.soundUrl(take.id, format, { piece, download: true }),
        ] as const,
    ),
    ["Codes", "application/octet-stream", `${name}.codes.safetensors`, take.urls.codes] as const,
  ];
  return (
    <ul class="downloads" aria-label="Download">
      {files.map(([label, type, file, url]) => (
        <li key={label}>
          <a
            class="plain"
            href={url}
            download={file}
            draggable
            title={`Save ${label}, or drag it to another program`}
            onDragStart={(event) =>
              event.dataTransfer?.setData("DownloadURL", `${type}:${file}:${new URL(url, location.href).href}`)
            }
          >
            <Icon name="down" />
            {label}
          </a>
        </li>
      ))}
    </ul>
  );
}
