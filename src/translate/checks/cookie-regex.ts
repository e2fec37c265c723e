// A cookie rule that cannot match a browser's second cookie: browsers join cookies with `; `, the pattern allows no blank after its `;`.
/** After a `;` come only the ends and beginnings of groups, and then at once a cookie's name. */
const NAME_RIGHT_AFTER_SEMICOLON = /;(?:\|\^|[)][?*+]?\??|\((?:\?:|\?P?<\w+>)?)*[\w.-]+=/;

export function missesSecondCookie(pattern: string): boolean {
  return NAME_RIGHT_AFTER_SEMICOLON.test(pattern);
}
