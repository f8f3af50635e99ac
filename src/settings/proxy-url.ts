import type { Zod } from './entry.js';

const shape =
  /^((https?|socks5h?):\/\/)?([^/@\s]*@)?[^/@\s:[\]]+(:\d+)?\/?$|^((https?|socks5h?):\/\/)([^/@\s]*@)?\[[0-9a-f:]+\](:\d+)?\/?$/i;

/** The message never quotes the value, which may hold a password. */
export const proxyUrl = (z: Zod) =>
  z.string().regex(shape, 'must be a URL such as http://proxy.example:3128, or none');
