/** Controls of charts, each with its label. */
import { formatCount } from '../../numbers.ts';
import { element, setText } from './elements.ts';

export function logSwitch(id: string, on: boolean, onChange: () => void) {
  const box = element('input', { type: 'checkbox', id, checked: on });
  box.addEventListener('change', onChange);
  return {
    element: element('label', { for: id }, box, 'log scale'),
    get on() {
      return box.checked;
    },
  };
}

/** Steps that the smoothed curve is the mean of. */
const WINDOWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const DEFAULT_WINDOW = WINDOWS.indexOf(20);

export function smoothingSlider(id: string, onChange: () => void) {
  const slider = element('input', {
    type: 'range',
    id,
    min: 0,
    max: WINDOWS.length - 1,
    value: DEFAULT_WINDOW,
  });
  const shown = element('output', { for: id });
  const window = () => WINDOWS[slider.valueAsNumber];
  const show = () => {
    const text = window() === 1 ? 'off' : `${formatCount(window())} steps`;
    setText(shown, text);
    slider.setAttribute('aria-valuetext', text);
  };
  slider.addEventListener('input', () => {
    show();
    onChange();
  });
  show();
  return {
    element: element('label', { for: id }, 'smoothing', slider, shown),
    get window() {
      return window();
    },
  };
}

/** A choice among names that may change. */
export function choice(id: string, label: string, onChange: () => void) {
  const select = element('select', { id });
  select.addEventListener('change', onChange);
  const whole = element('label', { for: id }, label, select);
  return {
    element: whole,
    /** Keeps what is chosen where it is still among `names`. */
    offer(names: readonly string[], show: (name: string) => string): string | undefined {
      const offered = [...select.options].map(({ value }) => value);
      if (offered.join('\n') !== names.join('\n')) {
        const before = select.value;
        select.replaceChildren(
          ...names.map((name) => element('option', { value: name }, show(name))),
        );
        if (names.includes(before)) select.value = before;
      }
      whole.hidden = names.length < 2;
      return select.value || undefined;
    },
  };
}
