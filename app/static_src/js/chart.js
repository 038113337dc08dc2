// Draws `chart()` blocks: ECharts options as JSON from the server, dressed in the product's colours.
// Drawn on canvas, with tooltips on canvas too: HTML tooltips would need inline styles, which the CSP refuses.
import { use, init } from "echarts/core";
import {
  BarChart,
  FunnelChart,
  HeatmapChart,
  LineChart,
  PieChart,
  SankeyChart,
  ScatterChart,
} from "echarts/charts";
import {
  AriaComponent,
  DatasetComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";
import { FONT, HAIRLINE, MUTED, SERIES } from "./modules/palette.js";
import { readData } from "./modules/visuals.js";

use([BarChart, FunnelChart, HeatmapChart, LineChart, PieChart, SankeyChart, ScatterChart]);
use([
  AriaComponent,
  DatasetComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
  CanvasRenderer,
]);

const axis = {
  axisLine: { lineStyle: { color: HAIRLINE } },
  axisTick: { show: false },
  axisLabel: { color: MUTED, fontSize: 12, lineHeight: 15 },
  splitLine: { lineStyle: { color: HAIRLINE } },
};
const theme = {
  color: SERIES,
  textStyle: { fontFamily: FONT, fontSize: 13 },
  categoryAxis: { ...axis, splitLine: { show: false } },
  valueAxis: { ...axis, axisLine: { show: false } },
  timeAxis: { ...axis, splitLine: { show: false } },
  line: { symbolSize: 6, lineStyle: { width: 2 } },
  bar: { barMaxWidth: 36 },
};
const defaults = {
  animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  grid: { left: 8, right: 16, top: 32, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
};

export async function showChart(element) {
  const options = await readData(element, "chart");
  const chart = init(element, theme, { renderer: "canvas" });
  chart.setOption({
    ...defaults,
    ...options,
    grid: { ...defaults.grid, ...options.grid },
    tooltip: { trigger: "axis", ...options.tooltip, renderMode: "richText", confine: true },
  });
  new ResizeObserver(() => chart.resize()).observe(element);
  element.addEventListener("chart:options", (event) => chart.setOption(event.detail));
}
