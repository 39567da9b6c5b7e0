// The visible texts inside an element whose contrast with what is behind them is below WCAG AA's 4.5.
card => {
    const parse = colour => {
        const [r, g, b, a] = colour.match(/[\d.]+/g).map(Number);
        return /color\(/.test(colour) ? [r * 255, g * 255, b * 255, a ?? 1] : [r, g, b, a ?? 1];
    };
    const over = (top, bottom) => [0, 1, 2].map(i => top[i] * top[3] + bottom[i] * (1 - top[3])).concat(1);
    const behind = element => {
        if (element === null) return [255, 255, 255, 1];
        const colour = parse(getComputedStyle(element).backgroundColor);
        return colour[3] === 1 ? colour : over(colour, behind(element.parentElement));
    };
    const light = colour => {
        const linear = value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = colour.slice(0, 3).map(value => linear(value / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const walker = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
    const weak = [];
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (!text || !element.checkVisibility() || element.closest(':disabled, [aria-disabled=true]')) continue;
        const background = behind(element);
        const ink = light(over(parse(getComputedStyle(element).color), background));
        const paper = light(background);
        const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        if (ratio < 4.5) weak.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return weak;
}
