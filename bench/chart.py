"""A bar chart as SVG, drawn by hand: groups of horizontal bars, each with its name and value."""

from html import escape

WIDTH = 860
LABEL_WIDTH = 190
BAR_HEIGHT = 14
GROUP_GAP = 26
TOP = 44
# Readable on white and on black, and apart for eyes that see no red.
COLOURS = ("#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#999999", "#009e73")


def bar_chart(title, groups):
    """`groups`: (title, [(name, value), ...]). One scale for all; names keep their colour."""
    names = list(dict.fromkeys(name for _, bars in groups for name, _ in bars))
    longest = max(value for _, bars in groups for _, value in bars)
    parts = []
    y = TOP
    for heading, bars in groups:
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(heading)}</text>')
        y += 6
        for name, value in bars:
            width = max(1, value / longest * (WIDTH - LABEL_WIDTH - 70))
            colour = COLOURS[names.index(name) % len(COLOURS)]
            parts.append(f'<text x="{LABEL_WIDTH - 6}" y="{y + 11}" text-anchor="end">{escape(name)}</text>'
                         f'<rect x="{LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT - 2}" fill="{colour}"/>'
                         f'<text x="{LABEL_WIDTH + width + 5:.1f}" y="{y + 11}">{value:.2f}</text>')  # fmt: skip
            y += BAR_HEIGHT
        y += GROUP_GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
            f'<text x="8" y="22" font-size="15">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n")  # fmt: skip
