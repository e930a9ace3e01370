// Points out slips in an address's domain, as subscribers/typos.py does, where no server can be asked.

function isNear(one, other) {
  if (Math.abs(one.length - other.length) > 1 || one.length < 4 || one === other) return false;
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  const [a, b] = [one.slice(start), other.slice(start)];
  const isSwapped = a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return isSwapped || a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1);
}

// The address that was probably meant, or null.
export function suggestion(address, { usual, others, typed_for: typedFor }) {
  const [, local, domain] = /^(.+)@([^@]+)$/.exec(address.trim().toLowerCase()) ?? [];
  if (!domain || usual.includes(domain) || others.includes(domain)) return null;
  const dot = domain.lastIndexOf(".");
  const ending = domain.slice(dot + 1);
  const mended = `${domain.slice(0, dot)}.${typedFor[ending] ?? ending}`;
  if (usual.includes(mended)) return `${local}@${mended}`;
  const [name, ...rest] = mended.split(".");
  const near = usual.find((each) => {
    const [itsName, ...itsRest] = each.split(".");
    return itsRest.join(".") === rest.join(".") && isNear(name, itsName);
  });
  if (near) return `${local}@${near}`;
  return mended === domain ? null : `${local}@${mended}`;
}

export const isAddress = (text) => /^[^\s@,;<>()]{1,64}@[^\s@,;<>()]+\.[^\s@.,;<>()]{2,}$/.test(text.trim());
