/** @file Views that are fetched when they are first wanted: the first page need not wait for them. */

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";

export function lazyView(load: () => Promise<ComponentType>): ComponentType {
  const found = signal<ComponentType | undefined>(undefined);
  const failed = signal(false);
  const fetchIt = () => {
    failed.value = false;
    load().then(
      (view) => {
        found.value = view;
      },
      () => {
        failed.value = true;
      },
    );
  };
  return function Lazy() {
    useEffect(() => {
      if (found.value === undefined) fetchIt();
    }, []);
    const View = found.value;
    if (View !== undefined) return <View />;
    if (!failed.value) return <p class="loading">One moment</p>;
    return (
      <p class="empty">
        This part of the page did not come.{" "}
        <button type="button" class="plain" onClick={fetchIt}>
          Try again
        </button>
      </p>
    );
  };
}
