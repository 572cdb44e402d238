/** @file The door of a server that was started with a token. */

import { useState } from "preact/hooks";
import { isRefusal, messageOf, signIn } from "../state/server.js";

export function Lock() {
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = new FormData(event.target as HTMLFormElement).get("token");
    await signIn(`${token}`.trim()).catch((error: unknown) =>
      setWrong(isRefusal(error) ? "That is not the token that it was started with." : messageOf(error)),
    );
  };
  return (
    <form class="lock" onSubmit={submit}>
      <h1>This instrument is locked</h1>
      <p>Whoever started it gave it a token. Paste it here; this browser then remembers it.</p>
      <label>
        Token
        <input name="token" type="password" autocomplete="current-password" required autofocus />
      </label>
      {wrong !== undefined && (
        <p class="problem" role="alert">
          {wrong}
        </p>
      )}
      <button type="submit" class="go">
        Open
      </button>
    </form>
  );
}
