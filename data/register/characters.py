"""Characters as people meant them: widths folded, invisible ones gone, radicals of PDF files made whole."""

from __future__ import annotations

import re
import unicodedata

# Radicals that copied text from PDF files holds for whole characters; of these NFKC knows two only.
# Source: Unicode, EquivalentUnifiedIdeograph.txt.
_RADICALS = dict(
    zip(
        "⺁⺂⺃⺄⺅⺆⺈⺉⺊⺋⺌⺍⺎⺏⺐⺒⺓⺔⺖⺗⺘⺙⺛⺜⺝⺞⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺶⺷⺸⺹⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲",
        "厂乛乚乙亻冂刀刂卜㔾小小兀尣尢巳幺彑忄㣺扌攵旡日月歺民氵氺灬爫爫丬牛犭王疋目示礻竹糹纟罓罒羊羊羊耂肀聿月臼艹艹艹虎衤覀西见角角讠贝足车辶辶辶阝钅長镸长门阜阝雨青韦页风飞食飠飠饣首马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀",
        strict=True,
    )
)
_RADICAL = re.compile(f"[{''.join(_RADICALS)}]")
# Numbers in circles and brackets part what stands beside them; folded, ①15号 would become 115号. Raised and
# lowered figures and fractions would run into the figure before them in the same way.
_KEPT = re.compile("[①-⓿❶-➓㈠-㉃㉈-㊰㋀-㋋²³¹⁰-₟¼-¾⅐-↋]")
# Control and format characters (direction marks, zero widths, soft hyphens, byte order marks), private signs,
# halves of pairs and what is no character; beside them variation selectors and blanks that count as letters.
_SPACES = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Cn"}
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180f\u034f\u115f\u1160\u3164\uffa0]")


def normalise(text: str) -> str:
    """Return `text` as it reads: forms folded, blanks single, nothing invisible, no outer blanks."""
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = _SPACES.sub(" ", _SELECTORS.sub("", text))
    seen = _RADICAL.sub(lambda found: _RADICALS[found[0]], seen)
    seen = "".join(
        part if _KEPT.fullmatch(part) else unicodedata.normalize("NFKC", part)
        for part in re.split(f"({_KEPT.pattern})", seen)
        if part
    )
    return "".join(sign for sign in seen if unicodedata.category(sign) not in _INVISIBLE_CATEGORIES).strip()
