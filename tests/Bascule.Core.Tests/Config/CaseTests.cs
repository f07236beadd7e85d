using System.Text;
using Bascule.Core.Config;

namespace Bascule.Core.Tests.Config;

/// <summary>
/// The language, case by case: each file in <c>cases</c> holds a configuration, a line of dashes, and what it means or what is
/// wrong with it. After a change that is meant, run the tests with BASCULE_ACCEPT_CASES=1 to write the answers anew, and read the difference.
/// </summary>
public sealed class CaseTests
{
    private static readonly string Dashes = new('-', 60);

    private static string Folder => Path.Combine(TestFolder.Here(), "cases");

    public static TheoryData<string> Cases => [.. Directory.GetFiles(Folder, "*.case").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Means_what_the_case_says(string name)
    {
        string file = Path.Combine(Folder, name + ".case");
        string[] parts = File.ReadAllText(file).Split($"{Dashes}\n");

        string answer = Answer(ConfigurationText.Check(Encoding.UTF8.GetBytes(parts[0])));

        if (Environment.GetEnvironmentVariable("BASCULE_ACCEPT_CASES") == "1")
            File.WriteAllText(file, $"{parts[0]}{Dashes}\n{answer}");
        else
            Assert.Equal(parts[1], answer);
    }

    [Theory]
    [InlineData("ha-secrets-are-not-quoted")]
    [InlineData("ha-authentication")]
    [InlineData("ha-everything")]
    public void A_secret_is_never_told(string name)
    {
        byte[] written = Encoding.UTF8.GetBytes(File.ReadAllText(Path.Combine(Folder, name + ".case")).Split(Dashes)[0]);

        string answer = Answer(ConfigurationText.Check(written));

        Assert.All(["c0ffee", "hunter2", "s3same"], secret => Assert.DoesNotContain(secret, answer, StringComparison.Ordinal));
    }

    private static string Answer(CheckedConfiguration result) => result.Meant is { } meant
        ? MeantText.Write(meant) + string.Concat(result.Warnings.Select(w => w.FormatWarning("file") + "\n"))
        : string.Concat(result.Problems.Select(p => p.Format("file") + "\n"));
}
