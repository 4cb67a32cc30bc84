import { signal } from '@preact/signals';

const query = matchMedia('(max-width: 46rem)');

/** Whether the window is as narrow as a telephone, where a table's row becomes a card. */
export const isNarrow = signal(query.matches);
query.addEventListener('change', ({ matches }) => {
  isNarrow.value = matches;
});
