"""Write the model card of the forecast: a backtest of the sample city, a few minutes.

``python docs/make_model_cards.py`` runs what ``deploy-opt backtest scenarios/sample_city.yaml``
does and keeps its card as ``docs/model_cards/forecast.md``. For a city of your own, run the command
on its scenario: the card then stands in the folder of the run.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from deploy_opt.commands import run_backtest
from deploy_opt.scenario import load_scenario

ROOT = Path(__file__).parents[1]
CARD = ROOT / "docs" / "model_cards" / "forecast.md"


def main() -> None:
    """Test the forecast of the sample city on its last eight weeks and keep the card."""
    scenario = load_scenario(ROOT / "scenarios" / "sample_city.yaml")
    with tempfile.TemporaryDirectory() as folder:
        run_backtest(scenario, Path(folder) / "run", talk=True)
        CARD.parent.mkdir(exist_ok=True)
        shutil.copyfile(Path(folder) / "run" / "model_card_forecast.md", CARD)
    print(CARD.relative_to(ROOT))


if __name__ == "__main__":
    main()
