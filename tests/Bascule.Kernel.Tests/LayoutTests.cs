using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Bascule.Linux.Bpf;
using Bascule.Packets.Xdp;

namespace Bascule.Kernel.Tests;

/// <summary>bpf/types.h and its twins in C# agree: struct by struct through the types clang wrote, enumeration by enumeration through the text.</summary>
public sealed partial class LayoutTests
{
    // What each enumeration's members begin with in C.
    private static readonly Dictionary<string, string> Prefixes = new()
    {
        ["Scheduler"] = "SCHEDULER_",
        ["HashKind"] = "HASH_",
        ["VirtualServerFlag"] = "VS_",
        ["Method"] = "METHOD_",
        ["RealServerFlag"] = "RS_",
        ["FlowState"] = "STATE_",
        ["FlowFlag"] = "FLOW_",
        ["SessionFlag"] = "SESSION_",
        ["DropReason"] = "DROP_",
        ["ChoiceReason"] = "REASON_",
        ["PrefixRule"] = "PREFIX_",
        ["DecapCount"] = "DECAP_",
    };

    private static readonly string Header = File.ReadAllText(Path.Combine(Repository(), "bpf", "types.h"));

    public static TheoryData<string> Structs => [.. StructPattern().Matches(Header).Select(match => match.Groups[1].Value)];

    public static TheoryData<string> Enumerations => [.. EnumerationPattern().Matches(Header).Select(match => match.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Enumerations))]
    public void Every_enumeration_has_its_twin(string name)
    {
        Type twin = Twin(name);
        string prefix = Prefixes[twin.Name];
        Dictionary<string, long> expected = Members(name).Where(member => !IsCount(member.Key)).ToDictionary(member => Pascal(member.Key[prefix.Length..]), member => member.Value);
        Dictionary<string, long> actual = Enum.GetNames(twin).ToDictionary(member => member, member => Convert.ToInt64(Enum.Parse(twin, member), null));
        if (twin.IsDefined(typeof(FlagsAttribute), false))
            actual.Remove("None");

        Assert.Equal(expected.Order(Comparer<KeyValuePair<string, long>>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key))),
            actual.Order(Comparer<KeyValuePair<string, long>>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key))));
    }

    [Theory]
    [MemberData(nameof(Structs))]
    public void Every_struct_has_a_twin(string name) => Assert.NotNull(Twin(name));

    [KernelTheory]
    [MemberData(nameof(Structs))]
    public void Twins_have_the_same_fields_at_the_same_places(string name)
    {
        BpfStruct inKernel = Find(name) ?? throw new InvalidOperationException($"struct {name} is in no object: no map has it as key or value");
        if (name == "address")
        {
            Assert.Equal(inKernel.Size, SizeOf<Address>());
            return;
        }

        Type twin = Twin(name);
        IEnumerable<BpfField> expected = inKernel.Fields.Select(field => field with { Name = Pascal(field.Name) });
        Assert.Equal(string.Join('\n', expected), string.Join('\n', Fields(twin)));
        Assert.Equal(inKernel.Size, SizeOf(twin));
    }

    private static BpfStruct? Find(string name)
    {
        foreach (string file in new[] { DatapathObject.Xdp, DatapathObject.DecapXdp })
        {
            using BpfObject opened = DatapathObject.Open(file);
            if (opened.Types.FindStruct(name) is { } found)
                return found;
        }

        return null;
    }

    // Two are the API's too: what the datapath says there, an operator reads.
    private static Type Twin(string name) => name switch
    {
        "drop_reason" => typeof(DropReason),
        "reason" => typeof(ChoiceReason),
        _ => DatapathsTwin(name),
    };

    private static Type DatapathsTwin(string name) =>
        typeof(Address).Assembly.GetType($"Bascule.Packets.Xdp.{Pascal(name)}") ?? throw new InvalidOperationException($"{name} of bpf/types.h has no twin in Bascule.Packets.Xdp");

    private static List<BpfField> Fields(Type twin) => (List<BpfField>)Generic(nameof(FieldsOf), twin);

    private static int SizeOf(Type twin) => (int)Generic(nameof(SizeOf), twin);

    private static object Generic(string method, Type type) =>
        typeof(LayoutTests).GetMethods(BindingFlags.Static | BindingFlags.NonPublic).Single(candidate => candidate.Name == method && candidate.IsGenericMethod)
            .MakeGenericMethod(type).Invoke(null, null)!;

    private static int SizeOf<T>()
        where T : unmanaged => MemoryMarshal.AsBytes(new T[1].AsSpan()).Length;

    // A field is where ones appear when it alone is set to all ones.
    private static List<BpfField> FieldsOf<T>()
        where T : unmanaged
    {
        List<BpfField> fields = [];
        foreach (FieldInfo field in typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            object boxed = default(T);
            field.SetValue(boxed, Generic(nameof(Ones), field.FieldType));
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new[] { (T)boxed }.AsSpan());
            fields.Add(new(field.Name, bytes.IndexOf((byte)0xFF), bytes.Count((byte)0xFF)));
        }

        return [.. fields.OrderBy(field => field.Offset)];
    }

    private static object Ones<T>()
        where T : unmanaged
    {
        T[] value = new T[1];
        MemoryMarshal.AsBytes(value.AsSpan()).Fill(0xFF);
        return value[0];
    }

    private static Dictionary<string, long> Members(string enumeration)
    {
        string body = EnumerationPattern().Matches(Header).Single(match => match.Groups[1].Value == enumeration).Groups[2].Value;
        Dictionary<string, long> members = [];
        long next = 0;
        foreach (string line in CommentPattern().Replace(body, "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('=', StringSplitOptions.TrimEntries);
            if (parts.Length == 2)
                next = parts[1].StartsWith("1 << ", StringComparison.Ordinal) ? 1L << int.Parse(parts[1][5..], null) : long.Parse(parts[1], null);
            members[parts[0]] = next++;
        }

        return members;
    }

    // The last member of some, which says how many there are.
    private static bool IsCount(string member) => member is "DROP_REASONS" or "DECAP_COUNTS";

    private static string Pascal(string name) => string.Concat(name.ToLowerInvariant().Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    private static string Repository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Bascule.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException("the tests run outside the repository");
    }

    [GeneratedRegex(@"^struct (\w+) \{", RegexOptions.Multiline)]
    private static partial Regex StructPattern();

    [GeneratedRegex(@"^enum (\w+) \{(.*?)^\};", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex EnumerationPattern();

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex CommentPattern();
}
