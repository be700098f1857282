"""ChartQA and MathVista: loading, asking, extracting answers without a paid judge, scoring by the published rules, exporting."""
