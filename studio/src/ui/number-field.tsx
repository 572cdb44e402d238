/** @file A number that can be typed and slid: the value large, its slider beneath. */

import { useId } from "preact/hooks";

export interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly unit?: string;
  /** What it does, for those who wonder. */
  readonly hint: string;
  /** The slider's end, where that is less than what may be typed. */
  readonly slideTo?: number;
  readonly wrong?: boolean;
  readonly onChange: (value: number) => void;
}

export function NumberField(props: NumberFieldProps) {
  const { label, value, min, max, step, unit, hint, slideTo = max, wrong = false, onChange } = props;
  const id = useId();
  const take = (text: string) => {
    const number = Number(text.replace(",", "."));
    if (text.trim() !== "" && Number.isFinite(number)) onChange(Math.max(min, Math.min(max, number)));
  };
  const share = (Math.min(value, slideTo) - min) / (slideTo - min);
  return (
    <div class={`field${wrong ? " wrong" : ""}`} title={hint}>
      <label for={id}>{label}</label>
      <span class="value">
        <input
          id={id}
          inputMode="decimal"
          value={`${value}`}
          aria-invalid={wrong}
          aria-description={hint}
          style={{ width: `${`${value}`.length + 0.4}ch` }}
          onChange={({ currentTarget }) => {
            take(currentTarget.value);
            currentTarget.value = `${value}`;
          }}
          onKeyDown={(event) => {
            const turn = { ArrowUp: 1, ArrowDown: -1 }[event.key];
            if (turn === undefined) return;
            event.preventDefault();
            onChange(Number(Math.max(min, Math.min(max, value + turn * step)).toFixed(3)));
          }}
        />
        {unit && <span class="unit">{unit}</span>}
      </span>
      <input
        type="range"
        aria-hidden="true"
        tabIndex={-1}
        min={min}
        max={slideTo}
        step={step}
        value={Math.min(value, slideTo)}
        style={{ "--share": `${100 * share}%` }}
        onInput={({ currentTarget }) => onChange(Number(currentTarget.value))}
      />
    </div>
  );
}
