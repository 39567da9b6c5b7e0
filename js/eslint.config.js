import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["lib/", "node_modules/", "coverage/"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}", "tests/**/*.{ts,tsx}", "*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "react-hooks": reactHooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      eqeqeq: "error",
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
          property,
          message: "Text from a job enters the page as text.",
        })),
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Text from a job enters the page as text." },
        // What JupyterLab's extractor of texts to translate finds, and what it cannot.
        ...[
          "CallExpression[callee.property.name='__'][arguments.0.type!='Literal']",
          "CallExpression[callee.property.name='__']:not([callee.object.name='trans']):not([callee.object.property.name='trans'][callee.object.object.type='ThisExpression'])",
          "CallExpression[callee.property.name='gettext'][arguments.0.type='Literal']",
        ].map((selector) => ({ selector, message: "Say trans.__(\"…\") with the text itself, so that it can be translated." })),
        ...[
          "JSXText[value=/\\p{L}{2}/u]",
          "JSXElement > JSXExpressionContainer > ConditionalExpression > Literal[value=/\\p{L}{2}/u]",
          "JSXAttribute[name.name=/^(aria-label|aria-valuetext|title|placeholder|label)$/] > Literal",
          "JSXAttribute[name.name=/^(aria-label|aria-valuetext|title|placeholder|label)$/] > JSXExpressionContainer > ConditionalExpression > Literal[value=/\\p{L}{2}/u]",
        ].map((selector) => ({
          selector,
          message: "A text that people read goes through the translation.",
        })),
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Reading a signal's value subscribes to it; `void` says that this is why it is read.
      "@typescript-eslint/no-meaningless-void-operator": "off",
    },
  },
  {
    files: ["*.js", "style/*.js"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } },
  },
);
