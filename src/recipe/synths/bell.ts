/** @file Bells by frequency modulation (Chowning, 1973): a sine whose phase another sine shakes, less and less. */

import { bendAt, type Instrument, step } from "./synth.js";

export const fmBell: Instrument = (stage) => {
  const { rate, out } = stage;
  const ratio = [1.4, 2, 2.76, 3.5, 4][Math.floor(5 * stage.draw(0))]!; // of the shaking sine; whole ones are clear
  const depth = 1 + 3 * stage.draw(1);
  const seconds = 1 + 2.5 * stage.draw(2); // to a thousandth
  return ({ start, held, frequency, velocity }) => {
    const ringing = Math.ceil(seconds * rate * Math.min(1.5, Math.sqrt(440 / frequency)));
    const damped = held + Math.ceil(0.4 * rate);
    const end = Math.min(out.length, start + Math.min(ringing, damped));
    const level = 0.3 + 0.7 * velocity ** 2;
    const fade = 0.001 ** (1 / ringing);
    const settle = 0.01 ** (1 / (0.5 * ringing));
    const choke = 0.001 ** (1 / (0.4 * rate)); // after the key is let go
    // What would fold back is not made: a modulation of index I reaches I + 1 multiples of its frequency.
    const most = Math.max(0, (0.45 * rate - frequency) / (ratio * frequency) - 1);
    let amplitude = 1;
    let index = Math.min(depth * (0.4 + 0.6 * velocity), most);
    let [carrier, modulator] = [0, 0];
    const attack = 0.001 * rate;
    let speed = 0;
    for (let n = start; n < end; n++) {
      if ((n - start) % step === 0) speed = (2 * Math.PI * frequency * bendAt(stage, n)) / rate;
      const age = n - start;
      if (n >= 0)
        out[n]! += level * amplitude * Math.min(1, age / attack) * Math.sin(carrier + index * Math.sin(modulator));
      carrier += speed;
      modulator += ratio * speed;
      amplitude *= age < held ? fade : fade * choke;
      index *= settle;
    }
  };
};
