import { useEffect, useRef } from 'preact/hooks';
import {
  answers,
  type Order,
  order,
  orders,
  type Question,
  question,
  questions,
  scope,
  search,
} from '../state/matrix.ts';
import { count } from '../state/words.ts';

/** Search, order and the questions that owners ask. `/` goes to the search from anywhere. */
export function SearchBar() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isWriting =
        event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (event.key !== '/' || isWriting || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <div class="search">
      <input
        ref={field}
        type="search"
        aria-label="Search secrets"
        placeholder="Search names, owners, labels  ( / )"
        spellcheck={false}
        autocomplete="off"
        value={search.value}
        onInput={(event) => {
          search.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
          event.preventDefault();
          document.querySelector<HTMLElement>('[role=grid]')?.focus();
        }}
      />
      <fieldset class="questions">
        <legend class="hidden">Show</legend>
        {(Object.keys(questions) as Question[]).map((name) => (
          <button
            key={name}
            type="button"
            class={`chip ${name}`}
            aria-pressed={question.value === name}
            onClick={() => {
              question.value = name;
            }}
          >
            {questions[name].label} <b>{count(answers.value[name])}</b>
          </button>
        ))}
      </fieldset>
      <label>
        <span class="hidden">Scope</span>
        <select
          value={scope.value}
          onChange={(event) => {
            scope.value = event.currentTarget.value as typeof scope.value;
          }}
        >
          <option value="">Every scope</option>
          <option value="org">Organization</option>
          <option value="pipeline">Pipelines</option>
          <option value="user">Users</option>
        </select>
      </label>
      <label>
        <span class="hidden">Sort by</span>
        <select
          value={order.value}
          onChange={(event) => {
            order.value = event.currentTarget.value as Order;
          }}
        >
          {(Object.keys(orders) as Order[]).map((name) => (
            <option key={name} value={name}>
              {orders[name].label}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
