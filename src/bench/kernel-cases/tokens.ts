/** What works on tokens: loss, embedding, dropout. */
import type { CaseSizes, KernelCase } from './case.ts';

export function tokenCases({ rows, times, hidden, vocabulary }: CaseSizes): KernelCase[] {
  const tokens = rows * times;
  return [
    {
      name: 'softmaxCrossEntropy',
      bytes: 8 * tokens * vocabulary,
      place(builder, kernels) {
        const logits = builder.add('logits', 'float32', tokens, vocabulary);
        const targets = builder.add('ids', 'int32', tokens);
        const losses = builder.add('losses', 'float32', tokens);
        const run = () => kernels.softmaxCrossEntropy(logits, targets, tokens, vocabulary, losses);
        const results = [
          { offset: logits, length: tokens * vocabulary },
          { offset: losses, length: tokens },
        ];
        return { run, results, inPlace: true };
      },
    },
    {
      name: 'gatherRows',
      bytes: 8 * tokens * hidden,
      place(builder, kernels) {
        const source = builder.add('source', 'float32', vocabulary, hidden);
        const ids = builder.add('ids', 'int32', tokens);
        const out = builder.add('out', 'float32', tokens, hidden);
        const run = () => kernels.gatherRows(source, hidden, ids, tokens, hidden, out, hidden);
        return { run, results: [{ offset: out, length: tokens * hidden }] };
      },
    },
    {
      name: 'scatterAddRows',
      bytes: 12 * tokens * hidden,
      place(builder, kernels) {
        const a = builder.add('a', 'float32', tokens, hidden);
        const ids = builder.add('ids', 'int32', tokens);
        const out = builder.add('out', 'float32', vocabulary, hidden);
        const run = () =>
          kernels.scatterAddRows(a, hidden, 0, ids, 0, 1, tokens, hidden, out, hidden);
        return { run, results: [{ offset: out, length: vocabulary * hidden }], inPlace: true };
      },
    },
    {
      name: 'dropout',
      bytes: 8 * tokens * hidden,
      place(builder, kernels) {
        const source = builder.add('source', 'float32', tokens, hidden);
        const out = builder.add('out', 'float32', tokens, hidden);
        const run = () => kernels.dropout(source, out, tokens, hidden, 0, 7, 2 ** 30, 4 / 3);
        return { run, results: [{ offset: out, length: tokens * hidden }] };
      },
    },
  ];
}
