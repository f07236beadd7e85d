using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Bascule.Core.Config;

/// <summary>A section that stands inside itself, and so is not there yet when its settings are described.</summary>
internal sealed class LaterForm(Func<Section> section) : Form<Fields>
{
    public override string Words => section().Words;

    public override Section? Inside => section();

    public override bool TryRead(Node node, string name, ProblemList problems, [MaybeNullWhen(false)] out Fields value) =>
        section().TryRead(node, name, problems, out value);

    public override string Write(Fields value) => section().Write(value);

    public override JsonObject Schema() => section().Schema();
}
