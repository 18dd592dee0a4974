// Who is logged in. The token is in sessionStorage: it survives a reload, and goes with the tab.
//
// Not in a cookie, which the browser would send by itself, also for other sites' requests; not in
// localStorage, where it would outlive the tab and be every tab's. Script of this page alone can
// read it, and the policy of the page lets no other script run.

const TOKEN = "chat.token";
const NAME = "chat.name";
const DRAFT = "chat.draft.";

const left = new Set();

export const session = {
  get token() {
    return sessionStorage.getItem(TOKEN);
  },

  /** Who is logged in, or was until the token expired. */
  get name() {
    return sessionStorage.getItem(NAME);
  },

  /** Begin; what somebody else left unsent is forgotten. Says whether it was somebody else. */
  begin(name, token) {
    const another = this.name !== null && this.name !== name;
    if (another) sessionStorage.clear();
    sessionStorage.setItem(NAME, name);
    sessionStorage.setItem(TOKEN, token);
    return another;
  },

  /** The token is not good any more: the name and what is unsent stay. */
  expire() {
    if (this.token === null) return;
    sessionStorage.removeItem(TOKEN);
    for (const tell of left) tell();
  },

  /** Log out: nothing stays. */
  end() {
    sessionStorage.clear();
  },

  /** Be told when the token is found to have expired. */
  onExpired(tell) {
    left.add(tell);
  },
};

/** What is written and not sent, for each conversation; it survives a reload and an expired token. */
export const drafts = {
  get(where) {
    return sessionStorage.getItem(DRAFT + where) ?? "";
  },
  set(where, text) {
    if (text) sessionStorage.setItem(DRAFT + where, text);
    else sessionStorage.removeItem(DRAFT + where);
  },
};
