using System.Runtime.InteropServices;

namespace Bascule.Linux.Bpf;

/// <summary>A field of a C struct: offset and size in bytes.</summary>
public readonly record struct BpfField(string Name, int Offset, int Size);

/// <summary>A C struct as clang laid it out.</summary>
public sealed record BpfStruct(string Name, int Size, IReadOnlyList<BpfField> Fields);

/// <summary>Where a constant stands: the section's map, offset and size in bytes.</summary>
internal readonly record struct ConstantPlace(string Section, long Offset, long Size);

/// <summary>The types in a BPF object (BTF, Documentation/bpf/btf.rst). Valid while the object is.</summary>
public sealed unsafe class BpfTypes
{
    private const uint Struct = 4, Enumeration = 6, Variable = 14, Section = 15;

    // struct btf_type: name, kind and count of members, size or type; then the members.
    private const int Words = 3, MemberWords = 3, EnumerationWords = 2, SectionWords = 3;

    private readonly nint _types;
    private readonly BpfObject _owner;

    internal BpfTypes(nint types, BpfObject owner)
    {
        _types = types;
        _owner = owner;
    }

    /// <summary>A struct that the maps or programs use; null when there is none of that name.</summary>
    public BpfStruct? FindStruct(string name)
    {
        int id = Libbpf.FindType(_types, name, Struct);
        if (id <= 0)
            return null;
        uint* type = Libbpf.TypeOf(_types, (uint)id);
        List<BpfField> fields = [];
        for (uint* member = type + Words, end = member + (Count(type) * MemberWords); member < end; member += MemberWords)
            fields.Add(new(Text(member[0]), (int)(member[2] & 0xFFFFFF) / 8, (int)Libbpf.TypeSize(_types, member[1])));
        GC.KeepAlive(_owner);
        return new(name, (int)type[2], fields);
    }

    /// <summary>The names and values of an enumeration; empty when there is none of that name.</summary>
    public IReadOnlyDictionary<string, int> FindEnumeration(string name)
    {
        Dictionary<string, int> members = [];
        int id = Libbpf.FindType(_types, name, Enumeration);
        if (id <= 0)
            return members;
        uint* type = Libbpf.TypeOf(_types, (uint)id);
        for (uint* member = type + Words, end = member + (Count(type) * EnumerationWords); member < end; member += EnumerationWords)
            members[Text(member[0])] = (int)member[1];
        GC.KeepAlive(_owner);
        return members;
    }

    internal ConstantPlace? Constant(string name)
    {
        int id = Libbpf.FindType(_types, ".rodata", Section);
        if (id <= 0)
            return null;
        uint* section = Libbpf.TypeOf(_types, (uint)id);
        for (uint* entry = section + Words, end = entry + (Count(section) * SectionWords); entry < end; entry += SectionWords)
        {
            uint* variable = Libbpf.TypeOf(_types, entry[0]);
            if (Kind(variable) == Variable && Text(variable[0]) == name)
                return new(".rodata", entry[1], entry[2]);
        }

        return null;
    }

    private static uint Kind(uint* type) => (type[1] >> 24) & 0x1F;

    private static uint Count(uint* type) => type[1] & 0xFFFF;

    private string Text(uint offset) => Marshal.PtrToStringUTF8((nint)Libbpf.TypeName(_types, offset)) ?? "";
}
