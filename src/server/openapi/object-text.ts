/** The JSON of an object with these members, a piece each; where there is no member, an empty piece. */
export function* objectText(members: Iterable<readonly [string, unknown] | undefined>): Generator<string> {
  let before = '{';
  for (const member of members) {
    if (!member) {
      yield '';
      continue;
    }
    const [name, value] = member;
    yield `${before}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}
