"""Small plots as SVG, readable on light and dark pages."""

W, H, LEFT, BOTTOM, TOP, RIGHT = 560, 320, 56, 44, 34, 16
COLOURS = ["#2f6fb0", "#c2572b", "#3d8b57", "#8a5aa8", "#a08020", "#5b7c84", "#b0476b", "#777777"]


def text(x, y, s, anchor="middle", size=12, more=""):
    s = str(s).replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {more}>{s}</text>'


def frame(title, x_label, y_label, body, height=H):
    style = "text{font-family:sans-serif;fill:#556}line,path{stroke-linecap:round}"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {height}" role="img" aria-label="{title}"><style>{style}</style>'
            f'<rect width="{W}" height="{height}" fill="#fff"/>' + text(W / 2, 20, title, size=14, more='font-weight="bold"') + text((LEFT + W - RIGHT) / 2, height - 8, x_label)
            + text(14, height / 2, y_label, more=f'transform="rotate(-90 14 {height / 2:.0f})"') + "".join(body) + "</svg>\n")


def place(x, y):
    return LEFT + x * (W - LEFT - RIGHT), H - BOTTOM - y * (H - BOTTOM - TOP)


def grid():
    out = []
    for k in range(0, 11, 2):
        x, y = place(k / 10, 0)[0], place(0, k / 10)[1]
        out.append(f'<line x1="{LEFT}" x2="{W - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out += [text(x, H - BOTTOM + 16, f"{k * 10} %"), text(LEFT - 6, y + 4, f"{k * 10} %", "end", 11)]
    return out


def curve(points, colour, dashed=False):
    step = max(1, len(points) // 200)
    kept = points[::step] + points[-1:]
    d = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in (place(*p) for p in kept))
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def review(points):
    body = grid() + [curve([(0, 0), (1, 1)], "#aaa", True), curve(points, COLOURS[0])]
    return frame("Wrong words found by looking at the least certain", "share of words looked at", "share of wrong words found", body)


def reliability(table):
    most = max(n for *_, n in table)
    body = grid() + [curve([(0, 0), (1, 1)], "#aaa", True), curve([(c, r) for c, r, _ in table], COLOURS[0])]
    for c, r, n in table:
        x, y = place(c, r)
        body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 7 * (n / most) ** 0.5:.1f}" fill="{COLOURS[0]}" fill-opacity="0.6"/>')
    return frame("Confidence of a word and how often it is right", "confidence", "share right", body)


def bars(title, label, values):
    """Horizontal bars with intervals: name → (value, low, high), in percent."""
    height = TOP + 26 * len(values) + BOTTOM
    top, body = max(high for _, _, high in values.values()) or 1, []
    left = 190
    for k, (name, (value, low, high)) in enumerate(values.items()):
        y, scale = TOP + 8 + 26 * k, (W - left - 60) / top
        body.append(text(left - 8, y + 13, name, "end"))
        body.append(f'<rect x="{left}" y="{y}" width="{value * scale:.1f}" height="18" fill="{COLOURS[0 if name.startswith("vesper") else 7]}"/>')
        body.append(f'<line x1="{left + low * scale:.1f}" x2="{left + high * scale:.1f}" y1="{y + 9}" y2="{y + 9}" stroke="#222" stroke-width="1.5"/>')
        body.append(text(left + high * scale + 6, y + 13, f"{value:.1f} %", "start"))
    return frame(title, label, "", body, height)
