/** @file The published sizes (spec §1.4, §4.1, §5.1), as config.json states them. */

/** EnCodec for music: 32 kHz, 50 frames a second. */
export const codec32 = {
  model_type: "encodec",
  target_bandwidths: [2.2],
  sampling_rate: 32000,
  num_filters: 64,
  upsampling_ratios: [8, 5, 4, 4],
  use_causal_conv: false,
  codebook_size: 2048,
  use_conv_shortcut: false,
};

export const t5Base = {
  model_type: "t5",
  vocab_size: 32128,
  d_model: 768,
  d_kv: 64,
  d_ff: 3072,
  num_layers: 12,
  num_heads: 12,
};

/** MusicGen's language models. */
export const lmSizes = {
  small: { hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, ffn_dim: 4096 },
  medium: { hidden_size: 1536, num_hidden_layers: 48, num_attention_heads: 24, ffn_dim: 6144 },
  large: { hidden_size: 2048, num_hidden_layers: 48, num_attention_heads: 32, ffn_dim: 8192 },
} as const;
export type LmSize = keyof typeof lmSizes;
