/** Replaces `$(NAME)` by `lookup(NAME)`; `$$` is a literal `$`, and what is unknown or unclosed stays as it is. */
export function expandVariables(text: string, lookup: (name: string) => string | undefined): string {
  return text.replaceAll(
    /\$(?:(\$)|\(([^)]*)\))/g,
    (match, dollar: string | undefined, name: string | undefined) => {
      if (dollar !== undefined) return '$';
      return lookup(name ?? '') ?? match;
    },
  );
}
