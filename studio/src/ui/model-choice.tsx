/** @file A list of models to choose one from, by the last part of its name. */

import { Icon } from "./icons.js";

export interface ModelChoiceProps {
  readonly id: string;
  readonly models: readonly { readonly name: string }[];
  readonly chosen: string | undefined;
  readonly onChoose: (name: string) => void;
}

export function ModelChoice({ id, models, chosen, onChoose }: ModelChoiceProps) {
  return (
    <span class="value">
      <select
        id={id}
        value={chosen ?? ""}
        disabled={models.length === 0}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {models.length === 0 && <option value="">none yet</option>}
        {models.map(({ name }) => (
          <option key={name} value={name}>
            {name.replace(/^.*\//, "")}
          </option>
        ))}
      </select>
      <Icon name="more" />
    </span>
  );
}
