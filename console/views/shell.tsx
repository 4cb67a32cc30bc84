import type { ComponentType } from 'preact';
import { unreachableSince } from '../state/api.ts';
import { addressOf, place, type View, views } from '../state/place.ts';
import { caller, may, signOut } from '../state/session.ts';
import { moment } from '../state/words.ts';
import { Audit } from './audit.tsx';
import { Keys } from './keys.tsx';
import { Rotation } from './rotation.tsx';
import { Secrets } from './secrets.tsx';
import { SignIn } from './sign-in.tsx';
import { Usage } from './usage.tsx';

const pages: Readonly<Record<View, { label: string; needs: string; page: ComponentType }>> = {
  secrets: { label: 'Secrets', needs: 'read', page: Secrets },
  rotation: { label: 'Rotation', needs: 'read', page: Rotation },
  audit: { label: 'Audit', needs: 'read_audit', page: Audit },
  usage: { label: 'Usage', needs: 'read_audit', page: Usage },
  keys: { label: 'Keys', needs: 'manage_api_keys', page: Keys },
};

/** The frame around every view: where one is, who one is, and whether the server answers. */
export function Shell() {
  const who = caller.value;
  if (who === null)
    return (
      <>
        <Unreachable />
        <SignIn />
      </>
    );
  const open = views.filter((view) => may(pages[view].needs));
  const { view } = place.value;
  const Page = pages[open.includes(view) ? view : 'secrets'].page;
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <header class="top">
        <span class="brand">
          <img src="/icon.svg" alt="" width="26" height="26" />
          FlowMason <b>Secrets</b>
        </span>
        <nav aria-label="Views">
          {open.map((name) => (
            <a key={name} href={addressOf(name)} aria-current={name === view ? 'page' : undefined}>
              {pages[name].label}
            </a>
          ))}
        </nav>
        <span class="who">
          <span title={`${who.subject}, ${who.role ?? 'run token'}`}>
            <b>{who.org}</b> {who.subject}
          </span>
          <button type="button" class="quiet" onClick={() => signOut()}>
            Sign out
          </button>
        </span>
      </header>
      <Unreachable />
      <Page />
    </>
  );
}

/** No link: the address says where the reader is, and must not change. */
function skip(): void {
  document.querySelector<HTMLElement>('main a, main button, main input')?.focus();
}

function Unreachable() {
  const since = unreachableSince.value;
  if (since === null) return null;
  return (
    <p class="unreachable" role="alert">
      <b>The server has not answered since {moment(since.getTime())}.</b> What you see is from before. This
      page asks again by itself, and reads anew when it answers.
    </p>
  );
}
